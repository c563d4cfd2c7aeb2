"""
BSON's deprecated "undefined", which drivers no longer write, old data still holds, and pymongo decodes as ``None``.

A null that was not null would be a lie, so the few documents that may hold one are looked through byte by byte.
"""

import re
from collections.abc import Iterator
from typing import Any

from tailer.mongodb.decoding.text import ESCAPED

Element = tuple[int, int, int]
"""Its type, and where its name and its value begin."""

MARK, MIN_KEY, MAX_KEY = {"$undefined": True}, {"$minKey": 1}, {"$maxKey": 1}
"""In Extended JSON. One for all: a document may hold a million of them."""

_MAY_HOLD = re.compile(rb"\x06[^\x00-\x1f]+\x00").search
"""The type's byte and a name: finds all but under an empty name or one of control characters, and a few in a hundred others."""
_UNDEFINED = 0x06
_SIZES = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}
_COUNTED = {0x02: 4, 0x05: 5, 0x0C: 16, 0x0D: 4, 0x0E: 4}  # an int32 length, that many bytes, and this many around them
_REGEX, _SCOPED, _SELF_COUNTED = 0x0B, 0x0F, (0x03, 0x04, 0x0F)
_OF_INTEREST = (*_SELF_COUNTED, _UNDEFINED)  # all that may hold one, and itself


def restore_undefined(raw: bytes | memoryview, decoded: dict[str, Any]) -> None:
    """Put ``{"$undefined": true}`` where the BSON says undefined and the decoded document says ``None``."""
    if _MAY_HOLD(raw):
        _walk(bytes(raw), 0, decoded)


def _walk(raw: bytes, start: int, decoded: Any) -> None:
    for number, (kind, name, value) in enumerate(_kept(raw, start, decoded)):
        if kind in _OF_INTEREST:
            key: Any = number if isinstance(decoded, list) else _name(raw, name, value)
            if kind == _UNDEFINED:
                _replace(decoded, key, MARK)
            elif kind == _SCOPED:
                _walk(raw, value + 8 + int.from_bytes(raw[value + 4 : value + 8], "little"), decoded[key]["$scope"])
            else:
                _walk(raw, value, decoded[key])


def _kept(raw: bytes, start: int, decoded: Any) -> Iterator[Element]:
    """The elements whose values were kept, in order: where a name came twice, its first."""
    if sum(1 for _ in elements(raw, start)) == len(decoded):
        yield from elements(raw, start)
        return
    names = iter(decoded)
    name = next(names)
    for element in elements(raw, start):
        if _name(raw, *element[1:]) == name:
            yield element
            name = next(names, None)


def _replace(decoded: Any, key: Any, value: Any) -> None:
    if isinstance(decoded, dict):
        dict.__setitem__(decoded, key, value)  # the decoder's own documents keep what they have
    else:
        decoded[key] = value


def elements(raw: bytes, start: int) -> Iterator[Element]:
    """The elements of the document that begins here, one by one: of millions no list is made."""
    at = start + 4
    while kind := raw[at]:
        value = raw.index(0, at + 1) + 1
        yield kind, at + 1, value
        size = _SIZES.get(kind)
        at = value + (_size(raw, kind, value) if size is None else size)


def _name(raw: bytes, name: int, value: int) -> str:
    return str(raw[name : value - 1], "utf-8", ESCAPED)


def _size(raw: bytes, kind: int, at: int) -> int:
    if kind == _REGEX:
        return raw.index(0, raw.index(0, at) + 1) + 1 - at
    counted = int.from_bytes(raw[at : at + 4], "little")
    return counted if kind in _SELF_COUNTED else counted + _COUNTED[kind]
