"""
The text that identifies a document, made from the BSON of its key: plain JSON does not distinguish an ObjectId from its hex
text, or one type of number from another.
"""

import base64
from collections.abc import Callable
from uuid import UUID

from bson.decimal128 import Decimal128

from tailer.errors import Misconfigured
from tailer.mongodb.decoding import elements as bson
from tailrace.wire import identity
from tailrace.wire.change import Document

_FIELD = b"\x03documentKey\x00"
_ID = b"_id"
_STRING, _DOCUMENT, _OBJECT_ID, _NULL, _SYMBOL, _INT32, _INT64 = 0x02, 0x03, 0x07, 0x0A, 0x0E, 0x10, 0x12
_PLAIN = frozenset({_OBJECT_ID, _INT32, _INT64})  # types whose text is always the text of their plain JSON
_UUID = 4  # a binary's subtype


def key_name(event: bytes, decoded: Document) -> str:
    """
    The text of the document key of an event; ``Misconfigured`` if the pipeline changed the key. Empty if ``decoded``, the key
    as plain JSON, is that text: an ``_id`` that is an ObjectId, an integer or a plain string.
    """
    at = _document_key(event)
    if len(decoded) == 1 and "_id" in decoded:
        kind = event[at + 4]
        if kind in _PLAIN or (kind == _STRING and identity.is_plain(decoded["_id"])):
            return ""
    return key_text(event, at)


def key_text(raw: bytes, start: int = 0) -> str:
    """
    The text of the document key that begins here.

    A field of the shard key that is null is left out: MongoDB treats it as missing.
    """
    identifier, shard_key = "", []
    for kind, name, value in bson.elements(raw, start):
        text = _string(raw, value, identity.string) if kind in (_STRING, _SYMBOL) else _VALUES[kind](raw, value)
        field = raw[name : value - 1]
        if field == _ID:
            identifier = text
        elif kind != _NULL:
            shard_key.append((_characters(field, identity.string), text))
    return identity.key(identifier, shard_key)


def _document_key(event: bytes) -> int:
    """
    The offset of the document key. A stored document may contain a field of this name, but after the event's own key there are
    only embedded documents, then the end of the event. If a server does otherwise, a walk from the beginning finds the key.
    """
    if (found := event.rfind(_FIELD)) < 0:
        raise Misconfigured(
            "TAILER_PIPELINE changes documentKey, which identifies the document: leave documentKey as the server sends it"
        )
    at = end = found + len(_FIELD)
    end += bson.int32(event, end)[0]
    while event[end] == _DOCUMENT:
        end = event.index(0, end) + 1
        end += bson.int32(event, end)[0]
    if end == len(event) - 1:
        return at
    return next(value for _, name, value in bson.elements(event, 0) if event.startswith(_FIELD, name - 1))


def _characters(raw: bytes, written: Callable[[str], str] = identity.quoted) -> str:
    """Text as UTF-8; invalid UTF-8, which a server may store, by its bytes."""
    try:
        return written(str(raw, "utf-8"))
    except UnicodeDecodeError:
        return f"String({base64.b64encode(raw).decode()})"


def _string(raw: bytes, at: int, written: Callable[[str], str] = identity.quoted) -> str:
    return _characters(bson.string(raw, at), written)


def _document(raw: bytes, at: int) -> str:
    fields = []  # a loop, not a generator: one frame less for each of up to 200 levels
    for kind, name, value in bson.elements(raw, at):
        fields.append((_characters(raw[name : value - 1]), _VALUES[kind](raw, value)))
    return identity.document(fields)


def _binary(raw: bytes, at: int) -> str:
    subtype, held = bson.binary(raw, at)
    if subtype == _UUID and len(held) == 16:
        return f"UUID({UUID(bytes=held)})"
    return identity.binary(held, subtype)


def _date(raw: bytes, at: int) -> str:
    since, text = bson.date(raw, at)
    return f"Date({text or since})"


def _pointer(raw: bytes, at: int) -> str:
    collection, pointed = bson.pointer(raw, at)
    return f"DBPointer({_characters(collection)},{pointed})"


def _scoped_code(raw: bytes, at: int) -> str:
    code, scope = bson.scoped_code(raw, at)
    return f"Code({_characters(code)},{_document(raw, scope)})"


_VALUES: dict[int, Callable[[bytes, int], str]] = {
    0x01: lambda raw, at: identity.number(bson.double(raw, at)[0]),
    _STRING: _string,
    _DOCUMENT: _document,
    0x04: lambda raw, at: identity.array([_VALUES[kind](raw, value) for kind, _, value in bson.elements(raw, at)]),
    0x05: _binary,
    0x06: lambda _raw, _at: "Undefined()",
    _OBJECT_ID: lambda raw, at: raw[at : at + 12].hex(),
    0x08: lambda raw, at: "true" if raw[at] else "false",
    0x09: _date,
    _NULL: lambda _raw, _at: "null",
    0x0B: lambda raw, at: f"Regex({','.join(map(_characters, bson.regex(raw, at)))})",
    0x0C: _pointer,
    0x0D: lambda raw, at: f"Code({_string(raw, at)})",
    _SYMBOL: _string,  # MongoDB compares it as a string
    0x0F: _scoped_code,
    _INT32: lambda raw, at: str(bson.int32(raw, at)[0]),
    0x11: lambda raw, at: "Timestamp({1},{0})".format(*bson.uint32s(raw, at)),
    _INT64: lambda raw, at: str(bson.int64(raw, at)[0]),
    0x13: lambda raw, at: identity.number(Decimal128.from_bid(raw[at : at + 16]).to_decimal()),
    0x7F: lambda _raw, _at: "MaxKey()",
    0xFF: lambda _raw, _at: "MinKey()",
}
"""By BSON type."""
