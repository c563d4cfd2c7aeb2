"""
Decodes BSON to plain JSON values.

pymongo's C decoder calls a decoder below for every BSON type that JSON does not have, so no second walk over the document is
needed. No decoder returns ``None`` or raises.
"""

import base64
from contextlib import suppress
from datetime import datetime
from typing import Any

import bson
from bson.binary import OLD_UUID_SUBTYPE, UUID_SUBTYPE, Binary, UuidRepresentation
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion, TypeCodec, TypeDecoder, TypeRegistry
from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef
from bson.decimal128 import Decimal128
from bson.errors import InvalidBSON
from bson.int64 import Int64
from bson.max_key import MaxKey
from bson.min_key import MinKey
from bson.objectid import ObjectId
from bson.regex import Regex
from bson.timestamp import Timestamp

from tailer.mongodb.decoding import tolerant
from tailer.mongodb.decoding.elements import NOT_BSON
from tailer.mongodb.decoding.text import ESCAPED, decimal_text
from tailer.mongodb.decoding.tolerant import MAX_KEY, MIN_KEY
from tailrace.wire.change import Document


class FirstKept(dict[str, Any]):
    """
    A document that keeps the first value of a duplicate field: the value that the server finds.

    The C decoder sets every field. No Python code runs for that, so decoding takes only a tenth longer than with a ``dict``. To
    change a document, copy it: copies, shallow or deep, are ordinary dicts.
    """

    __slots__ = ()
    __setitem__ = dict.setdefault

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def decode(raw: bytes | memoryview, options: CodecOptions[Any] | None = None) -> Document:
    """
    Decode one BSON document to plain JSON values. Bytes that are not UTF-8 become ``\\xNN``. ``options``: see ``decoding``.
    Bytes that are not BSON, which no server stores, raise ``InvalidBSON``.
    """
    options = options or _OPTIONS
    if not tolerant.may_hold_undefined(raw):
        with suppress(InvalidBSON):
            document: Document = bson.decode(raw, options)
            return document
    try:
        return tolerant.document(bytes(raw), 0, options.document_class)
    except NOT_BSON:
        bson.decode(raw, options)  # raises the error of pymongo
        raise


def decoding(document_class: type[dict[str, Any]]) -> CodecOptions[Any]:
    """Options for ``decode`` with documents of this class instead of ``FirstKept``."""
    return _OPTIONS.with_options(document_class=document_class)


def _binary(value: Binary) -> str | Document:
    if value.subtype == UUID_SUBTYPE and len(value) == 16:
        return str(value.as_uuid(UuidRepresentation.STANDARD))
    text = base64.b64encode(value).decode()
    if value.subtype == OLD_UUID_SUBTYPE:  # drivers disagree on its byte order: keep the bytes and the subtype
        return {"$binary": {"base64": text, "subType": "03"}}
    return text


def _reference(value: DBRef) -> Document:
    """
    A DBRef, which is a document; or a DBPointer, a BSON type for which the C decoder creates a DBRef too.

    The id of a pointer is still an ``ObjectId``: the C decoder calls no decoder for it.
    """
    if isinstance(value.id, ObjectId):
        return {"$dbPointer": {"$ref": value.collection, "$id": str(value.id)}}
    return dict(value.as_doc())


def _regex(value: Regex[Any]) -> Document:
    pattern = value.pattern if isinstance(value.pattern, str) else value.pattern.decode(errors=ESCAPED)
    options = "".join(letter for letter, flag in _REGEX_FLAGS.items() if value.flags & flag)
    return {"$regularExpression": {"pattern": pattern, "options": options}}


_REGEX_FLAGS = {"i": 2, "l": 4, "m": 8, "s": 16, "u": 32, "x": 64}  # bson.regex's values, in BSON's order

_DECODERS = {
    float: tolerant.number,
    Int64: int,
    ObjectId: str,
    Decimal128: decimal_text,
    datetime: lambda value: value.isoformat("T", "milliseconds") + "Z",  # positional arguments: twice as fast as keywords
    DatetimeMS: lambda value: {"$date": {"$numberLong": str(int(value))}},  # outside the years 1 to 9999 of RFC 3339
    bytes: lambda value: base64.b64encode(value).decode(),
    Binary: _binary,
    Code: lambda value: {"$code": str(value)} | ({} if value.scope is None else {"$scope": dict(value.scope)}),
    Regex: _regex,
    DBRef: _reference,
    Timestamp: lambda value: {"$timestamp": {"t": value.time, "i": value.inc}},
    MinKey: lambda _: MIN_KEY,
    MaxKey: lambda _: MAX_KEY,
}


def _decoder(python_type: type, transform: Any) -> TypeCodec | TypeDecoder:
    body = {"bson_type": python_type, "transform_bson": staticmethod(transform)}
    decoder: TypeDecoder = type(f"{python_type.__name__}Decoder", (TypeDecoder,), body)()
    return decoder


_OPTIONS: CodecOptions[Any] = CodecOptions(
    document_class=FirstKept,
    tz_aware=False,
    uuid_representation=UuidRepresentation.UNSPECIFIED,
    unicode_decode_error_handler=ESCAPED,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    type_registry=TypeRegistry([_decoder(*entry) for entry in _DECODERS.items()]),
)
