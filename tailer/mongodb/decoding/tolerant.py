"""
Documents that a server stores and pymongo's C decoder refuses, as plain JSON values of the same form as ``values`` makes.

The C decoder checks more than a server does: a binary of subtype 2 repeats its length inside, and no server compares the two.
Here every type is read by its length alone. It takes a hundred times as long, so only what was refused is read here.
"""

import base64
import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bson.decimal128 import Decimal128

from tailer.mongodb.decoding.decimals import decimal_text
from tailer.mongodb.decoding.text import ESCAPED
from tailer.mongodb.decoding.undefined import MARK, MAX_KEY, MIN_KEY, elements

_int32 = struct.Struct("<i").unpack_from
_int64 = struct.Struct("<q").unpack_from
_uint32s = struct.Struct("<II").unpack_from
_double = struct.Struct("<d").unpack_from

_OLD_BINARY, _OLD_UUID, _UUID = 2, 3, 4
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - written as UTC
_OPTIONS = "ilmsux"  # of a regular expression, as pymongo knows them

NOT_BSON = (IndexError, KeyError, ValueError, struct.error)  # what bytes raise that end early, or hold an unknown type

Make = type[dict[str, Any]]
"""The class of each document: it decides which value of a name that comes twice is kept."""


def document(raw: bytes, at: int, make: Make) -> dict[str, Any]:
    """
    The document that begins here.

    Raises: one of ``NOT_BSON``.
    """
    found = make()
    for kind, name, start in elements(raw, at):
        found[_characters(raw[name : start - 1])] = value(kind, raw, start, make)
    return found


def value(kind: int, raw: bytes, at: int, make: Make) -> Any:
    """The value of this type that begins here. Raises as ``document``."""
    match kind:
        case 0x03:
            return document(raw, at, make)
        case 0x04:
            return [value(kind, raw, start, make) for kind, _, start in elements(raw, at)]
        case 0x0F:
            scope = at + 8 + _int32(raw, at + 4)[0]
            return {"$code": _string(raw, at + 4), "$scope": document(raw, scope, make)}
        case _:
            return _VALUES[kind](raw, at)


def _characters(raw: bytes) -> str:
    return str(raw, "utf-8", ESCAPED)


def _string(raw: bytes, at: int) -> str:
    return _characters(raw[at + 4 : at + 3 + _int32(raw, at)[0]])


def _float(raw: bytes, at: int) -> float | str:
    [number] = _double(raw, at)
    if number - number == 0:
        return float(number)
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"


def _binary(raw: bytes, at: int) -> Any:
    size, subtype = _int32(raw, at)[0], raw[at + 4]
    held = raw[at + 5 : at + 5 + size]
    if subtype == _UUID and size == 16:
        return str(UUID(bytes=held))
    if subtype == _OLD_BINARY and size >= 4 and _int32(held)[0] == size - 4:
        return base64.b64encode(held[4:]).decode()
    text = base64.b64encode(held).decode()
    return {"$binary": {"base64": text, "subType": f"{subtype:02x}"}} if subtype in (_OLD_BINARY, _OLD_UUID) else text


def _date(raw: bytes, at: int) -> Any:
    [since] = _int64(raw, at)  # milliseconds
    try:
        return (_EPOCH + timedelta(milliseconds=since)).isoformat("T", "milliseconds") + "Z"
    except OverflowError:  # outside the years 1 to 9999
        return {"$date": {"$numberLong": str(since)}}


def _regex(raw: bytes, at: int) -> Any:
    pattern = raw.index(0, at)
    written = raw[pattern + 1 : raw.index(0, pattern + 1)]
    options = "".join(letter for letter in _OPTIONS if letter.encode() in written)
    return {"$regularExpression": {"pattern": _characters(raw[at:pattern]), "options": options}}


def _pointer(raw: bytes, at: int) -> Any:
    end = at + 4 + _int32(raw, at)[0]
    return {"$dbPointer": {"$ref": _string(raw, at), "$id": raw[end : end + 12].hex()}}


def _timestamp(raw: bytes, at: int) -> Any:
    increment, seconds = _uint32s(raw, at)
    return {"$timestamp": {"t": seconds, "i": increment}}


_VALUES: dict[int, Callable[[bytes, int], Any]] = {
    0x01: _float,
    0x02: _string,
    0x05: _binary,
    0x06: lambda _raw, _at: MARK,
    0x07: lambda raw, at: raw[at : at + 12].hex(),
    0x08: lambda raw, at: bool(raw[at]),
    0x09: _date,
    0x0A: lambda _raw, _at: None,
    0x0B: _regex,
    0x0C: _pointer,
    0x0D: lambda raw, at: {"$code": _string(raw, at)},
    0x0E: _string,
    0x10: lambda raw, at: _int32(raw, at)[0],
    0x11: _timestamp,
    0x12: lambda raw, at: _int64(raw, at)[0],
    0x13: lambda raw, at: decimal_text(Decimal128.from_bid(raw[at : at + 16])),
    0x7F: lambda _raw, _at: MAX_KEY,
    0xFF: lambda _raw, _at: MIN_KEY,
}
"""By BSON's types."""
