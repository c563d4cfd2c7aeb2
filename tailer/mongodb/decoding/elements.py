"""
Reads BSON by the length of each value, as a server does. The content of a value is not checked.

Bytes that end early, or have an unknown type, raise one of ``NOT_BSON``.
"""

import struct
from collections.abc import Iterator
from datetime import datetime, timedelta

Element = tuple[int, int, int]
"""Its type, and the offsets of its name and its value."""

NOT_BSON = (IndexError, KeyError, ValueError, struct.error)

int32 = struct.Struct("<i").unpack_from
int64 = struct.Struct("<q").unpack_from
uint32s = struct.Struct("<II").unpack_from
double = struct.Struct("<d").unpack_from

_SIZES = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}
_COUNTED = {0x02: 4, 0x05: 5, 0x0C: 16, 0x0D: 4, 0x0E: 4}  # an int32 length, that many bytes, and this many bytes around them
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - written as UTC
_REGEX, _SELF_COUNTED = 0x0B, (0x03, 0x04, 0x0F)


def elements(raw: bytes, start: int) -> Iterator[Element]:
    """Yield the elements of the document that begins at ``start``. A list of them could have millions of items."""
    at = start + 4
    while kind := raw[at]:
        value = raw.index(0, at + 1) + 1
        yield kind, at + 1, value
        size = _SIZES.get(kind)
        at = value + (_size(raw, kind, value) if size is None else size)


def string(raw: bytes, at: int) -> bytes:
    """The bytes of a string, without its length and its final zero."""
    return raw[at + 4 : at + 3 + int32(raw, at)[0]]


def binary(raw: bytes, at: int) -> tuple[int, bytes]:
    """Subtype and bytes."""
    return raw[at + 4], raw[at + 5 : at + 5 + int32(raw, at)[0]]


def date(raw: bytes, at: int) -> tuple[int, str]:
    """The milliseconds since 1970, and the date as RFC 3339; empty outside the years 1 to 9999, which RFC 3339 cannot write."""
    [since] = int64(raw, at)
    try:
        return since, (_EPOCH + timedelta(milliseconds=since)).isoformat("T", "milliseconds") + "Z"
    except OverflowError:
        return since, ""


def regex(raw: bytes, at: int) -> tuple[bytes, bytes]:
    """Pattern and options of a regular expression."""
    pattern = raw.index(0, at)
    return raw[at:pattern], raw[pattern + 1 : raw.index(0, pattern + 1)]


def pointer(raw: bytes, at: int) -> tuple[bytes, str]:
    """Collection and id of a DBPointer."""
    end = at + 4 + int32(raw, at)[0]
    return string(raw, at), raw[end : end + 12].hex()


def scoped_code(raw: bytes, at: int) -> tuple[bytes, int]:
    """The text of code with a scope, and the offset of the scope, which is a document."""
    return string(raw, at + 4), at + 8 + int32(raw, at + 4)[0]


def _size(raw: bytes, kind: int, at: int) -> int:
    if kind == _REGEX:
        return raw.index(0, raw.index(0, at) + 1) + 1 - at
    counted = int.from_bytes(raw[at : at + 4], "little")
    return counted if kind in _SELF_COUNTED else counted + _COUNTED[kind]
