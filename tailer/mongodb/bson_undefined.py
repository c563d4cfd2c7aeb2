"""
BSON's deprecated "undefined", which drivers no longer write, old data still holds, and pymongo decodes as ``None``.

A null that was not null would be a lie, so the few documents that may hold one are looked through byte by byte.
"""

import re
from typing import Any

MARK = {"$undefined": True}  # Extended JSON

_MAY_HOLD = re.compile(rb"\x06[^\x00-\x1f]+\x00").search  # the type's byte and a name; finds all and a few in a hundred others
_UNDEFINED = 0x06
_SIZES = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}
_COUNTED = {0x02: 4, 0x05: 5, 0x0C: 16, 0x0D: 4, 0x0E: 4}  # an int32 length, that many bytes, and this many around them
_REGEX, _DOCUMENTS, _SELF_COUNTED = 0x0B, (0x03, 0x04), (0x03, 0x04, 0x0F)


def restore_undefined(raw: bytes | memoryview, decoded: dict[str, Any]) -> None:
    """Put ``{"$undefined": true}`` where the BSON says undefined and the decoded document says ``None``."""
    if _MAY_HOLD(raw):
        _walk(bytes(raw), 0, decoded)


def _walk(raw: bytes, start: int, decoded: Any) -> None:
    at = start + 4
    number = 0
    while kind := raw[at]:
        name_end = raw.index(0, at + 1)
        name: Any = number if isinstance(decoded, list) else raw[at + 1 : name_end].decode(errors="backslashreplace")
        value = name_end + 1
        if kind == _UNDEFINED:
            decoded[name] = dict(MARK)
        elif kind in _DOCUMENTS and isinstance(decoded[name], dict | list):
            _walk(raw, value, decoded[name])
        at = value + _size(raw, kind, value)
        number += 1


def _size(raw: bytes, kind: int, at: int) -> int:
    if kind in _SIZES:
        return _SIZES[kind]
    if kind == _REGEX:
        return raw.index(0, raw.index(0, at) + 1) + 1 - at
    counted = int.from_bytes(raw[at : at + 4], "little")
    return counted if kind in _SELF_COUNTED else counted + _COUNTED[kind]
