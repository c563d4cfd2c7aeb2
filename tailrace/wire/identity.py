"""
The identity of a document: the text that names it and that determines its lane and its message group.

Two documents have the same text exactly if MongoDB compares their keys as equal: 7, 7.0 and Decimal128 7.00 are one ``_id``, an
ObjectId and its hex text are two. Every reader of BSON or of DynamoDB's values writes its keys with the functions below.

The common keys are plain: ``payments.payments/65f0…`` (an ObjectId), ``…/p-17`` (a string), ``…/7`` (a number). A string that
looks like another type has its JSON quotes, ``…/"7"``; a rarer type is marked, ``…/UUID(…)``; an embedded document is JSON with
its fields in their order, ``…/{"tenant":"t1","n":7}``. A shard key follows the ``_id``: ``…/65f0…?region=eu``.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from decimal import Context, Decimal
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode  # ten times as fast as the standard library, but it does not escape non-ASCII text

KEY_LIMIT = 200  # characters of a key in a name; MongoDB allows an _id of several megabytes
_CUT = 160  # characters; a longer key is cut to these, followed by its digest

# No Unicode character class: its members change with Python's release, and the lane would change too.
_PLAIN = re.compile(
    r"(?![0-9a-f]{24}\Z)(?![0-9]+(\.[0-9]+)?(E[+-][0-9]+)?\Z)(?!(true|false|null|NaN|Infinity)\Z)\w[\w.:/@~+-]*\Z", re.ASCII
)
_HIDDEN = re.compile(  # invisible characters, bidirectional controls, lone surrogates
    "[\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ud800-\udfff\ufeff\ufff0-\uffff]"
)
_DECIMAL_TEXT = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?|-?s?NaN|-?Infinity", re.ASCII)
_DECIMAL_LENGTH = 43  # characters, the longest text of a Decimal128
_INT64_DIGITS = 19
_DECIMAL128 = Context(prec=34)
_WIDE = Context(prec=64)  # digits; more than any database's decimals have


def name(database: str, collection: str, key: str) -> str:
    """
    The name of the document with this key, or of the namespace if the key is empty. Its first ``/`` ends the namespace.

    A key longer than ``KEY_LIMIT`` is replaced by its beginning and a digest of the whole key.
    """
    if "/" in collection or "%" in collection:
        collection = collection.replace("%", "%25").replace("/", "%2F")
    if len(key) > KEY_LIMIT:
        key = f"{key[:_CUT]}…{digest(key).hex()}"
    return f"{database}.{collection}/{key}" if collection else f"{database}/{key}"


def lane(text: str, count: int) -> int:
    """The lane of a text, out of ``count``: a stable hash, the same in every process and every release."""
    return int.from_bytes(digest(text, 8)) % count


def digest(text: str, size: int = 16) -> bytes:
    """A digest of this many bytes, the same in every process and every release."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


def key(identifier: str, shard_key: Iterable[tuple[str, str]] = ()) -> str:
    """The whole key, from the text of its ``_id`` and the names and values of its shard key in any order."""
    if not (fields := sorted(f"{field}={value}" for field, value in shard_key)):
        return identifier
    return f"{identifier}?{'&'.join(fields)}"


def is_plain(text: str) -> bool:
    """Whether a string is written without quotes: it is short and does not look like another type."""
    return len(text) <= KEY_LIMIT and _PLAIN.match(text) is not None


def string(text: str) -> str:
    """The text of a string: unchanged, or in JSON quotes if it looks like another type."""
    return text if _PLAIN.match(text) else quoted(text)


def quoted(text: str) -> str:
    """A string in JSON quotes, as inside a document or an array."""
    return json.dumps(text) if _HIDDEN.search(text) else _encode(text).decode()


def number(value: Decimal | float) -> str:
    """
    The text of a number, whatever its type: its exact value, in decimal. Every NaN is the same, and zero has no sign.

    A double with more digits than a Decimal128 equals no Decimal128; its text is its own shortest form.
    """
    exact = Decimal(value)
    if exact.is_nan():
        return "NaN"
    if exact.is_infinite():
        return "Infinity" if exact > 0 else "-Infinity"
    if exact.adjusted() < _INT64_DIGITS and exact == exact.to_integral_value():
        return str(int(exact))
    if isinstance(value, float) and _DECIMAL128.plus(exact) != exact:
        return f"Double({value!r})"
    return str(exact.normalize(_WIDE))


def binary(held: bytes, subtype: int = 0) -> str:
    """The text of binary data with its BSON subtype."""
    return f"Binary({subtype},{base64.b64encode(held).decode()})"


def document(fields: Iterable[tuple[str, str]]) -> str:
    """The text of an embedded document, from the texts of its names and values, in their order."""
    return "{" + ",".join(f"{field}:{value}" for field, value in fields) + "}"


def array(elements: Iterable[str]) -> str:
    """The text of an array, from the texts of its elements."""
    return f"[{','.join(elements)}]"


def of_json(value: Any) -> str:
    """
    The text of a plain JSON value whose BSON type is unknown. Values that MongoDB compares as equal have the same text; other
    values can share a text, such as a Decimal128 and its string.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return number(value)
        case str():
            is_decimal = len(value) <= _DECIMAL_LENGTH and _DECIMAL_TEXT.fullmatch(value)
            return number(Decimal(value)) if is_decimal else quoted(value)
        case list():
            return array([of_json(element) for element in value])
        case _:
            return document([(quoted(field), of_json(held)) for field, held in value.items()])
