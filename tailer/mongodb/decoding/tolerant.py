"""
Decodes documents that pymongo's C decoder refuses or decodes wrong, to the same plain JSON values as ``values``.

The C decoder checks more than a server does: for example, a binary of subtype 2 repeats its length inside, and no server
compares the two. It decodes BSON's deprecated type "undefined" as ``None``, which a consumer would take for null. Here every
value is read by its length alone. This takes a hundred times as long.
"""

import base64
import math
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from bson.decimal128 import Decimal128

from tailer.mongodb.decoding import elements as bson
from tailer.mongodb.decoding.text import ESCAPED, decimal_text

UNDEFINED, MIN_KEY, MAX_KEY = {"$undefined": True}, {"$minKey": 1}, {"$maxKey": 1}
"""Extended JSON. One object for all: a document may contain a million of them."""

may_hold_undefined = re.compile(rb"\x06[^\x00-\x1f]+\x00").search
"""Finds the type's byte and a name. Misses empty names and names of control characters; finds 2 % of the other documents."""

_OLD_BINARY, _OLD_UUID, _UUID = 2, 3, 4
_OPTIONS = "ilmsux"  # options of a regular expression that pymongo knows

Make = type[dict[str, Any]]
"""The class of each document. It decides which value of a duplicate field is kept."""


def document(raw: bytes, at: int, make: Make) -> dict[str, Any]:
    """Decode the document that begins here. Bytes that are not BSON raise one of ``elements.NOT_BSON``."""
    found = make()
    for kind, name, start in bson.elements(raw, at):
        found[_characters(raw[name : start - 1])] = value(kind, raw, start, make)
    return found


def value(kind: int, raw: bytes, at: int, make: Make) -> Any:
    """Decode the value of this type that begins here. Raises as ``document``."""
    match kind:
        case 0x03:
            return document(raw, at, make)
        case 0x04:
            return [value(kind, raw, start, make) for kind, _, start in bson.elements(raw, at)]
        case 0x0F:
            code, scope = bson.scoped_code(raw, at)
            return {"$code": _characters(code), "$scope": document(raw, scope, make)}
        case _:
            return _VALUES[kind](raw, at)


def _characters(raw: bytes) -> str:
    return str(raw, "utf-8", ESCAPED)


def _string(raw: bytes, at: int) -> str:
    return _characters(bson.string(raw, at))


def number(value: float) -> float | str:
    """A double. JSON has no infinities, and no NaN."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _binary(raw: bytes, at: int) -> Any:
    subtype, held = bson.binary(raw, at)
    size = bson.int32(raw, at)[0]
    if subtype == _UUID and size == 16:
        return str(UUID(bytes=held))
    if subtype == _OLD_BINARY and size >= 4 and bson.int32(held)[0] == size - 4:
        return base64.b64encode(held[4:]).decode()
    text = base64.b64encode(held).decode()
    return {"$binary": {"base64": text, "subType": f"{subtype:02x}"}} if subtype in (_OLD_BINARY, _OLD_UUID) else text


def _date(raw: bytes, at: int) -> Any:
    since, text = bson.date(raw, at)
    return text or {"$date": {"$numberLong": str(since)}}


def _regex(raw: bytes, at: int) -> Any:
    pattern, written = bson.regex(raw, at)
    options = "".join(letter for letter in _OPTIONS if letter.encode() in written)
    return {"$regularExpression": {"pattern": _characters(pattern), "options": options}}


def _pointer(raw: bytes, at: int) -> Any:
    collection, identifier = bson.pointer(raw, at)
    return {"$dbPointer": {"$ref": _characters(collection), "$id": identifier}}


def _timestamp(raw: bytes, at: int) -> Any:
    increment, seconds = bson.uint32s(raw, at)
    return {"$timestamp": {"t": seconds, "i": increment}}


_VALUES: dict[int, Callable[[bytes, int], Any]] = {
    0x01: lambda raw, at: number(bson.double(raw, at)[0]),
    0x02: _string,
    0x05: _binary,
    0x06: lambda _raw, _at: UNDEFINED,
    0x07: lambda raw, at: raw[at : at + 12].hex(),
    0x08: lambda raw, at: bool(raw[at]),
    0x09: _date,
    0x0A: lambda _raw, _at: None,
    0x0B: _regex,
    0x0C: _pointer,
    0x0D: lambda raw, at: {"$code": _string(raw, at)},
    0x0E: _string,
    0x10: lambda raw, at: bson.int32(raw, at)[0],
    0x11: _timestamp,
    0x12: lambda raw, at: bson.int64(raw, at)[0],
    0x13: lambda raw, at: decimal_text(Decimal128.from_bid(raw[at : at + 16])),
    0x7F: lambda _raw, _at: MAX_KEY,
    0xFF: lambda _raw, _at: MIN_KEY,
}
"""By BSON type."""
