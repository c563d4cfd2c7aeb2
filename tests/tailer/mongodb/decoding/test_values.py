"""BSON becomes plain JSON values, and no value that a server can store stops the stream."""

import datetime
import json
from typing import Any

import bson
import msgspec
import pytest
from bson import Binary, Decimal128, Int64, ObjectId
from bson.datetime_ms import DatetimeMS

from tailer.mongodb.decoding.values import decode
from tests.samples.write_wire import EVERY_BSON_TYPE


def round_trip(value: Any) -> Any:
    """Return the value after it was encoded as BSON and decoded."""
    return decode(bson.encode({"value": value}))["value"]


@pytest.mark.parametrize(("name", "value"), EVERY_BSON_TYPE.items())
def test_every_bson_type_becomes_a_json_value(name: str, value: Any) -> None:
    """Only null becomes null."""
    converted = round_trip(value)
    assert json.loads(msgspec.json.encode(converted)) == converted
    assert (converted is None) == (value is None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ObjectId("65f000000000000000000001"), "65f000000000000000000001"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=datetime.UTC), "2026-01-02T03:04:05.678Z"),
        (datetime.datetime(1, 1, 1, tzinfo=datetime.UTC), "0001-01-01T00:00:00.000Z"),
        (DatetimeMS(-(2**62)), {"$date": {"$numberLong": str(-(2**62))}}),
        (Decimal128("1.10"), "1.10"),
        (Decimal128("-Infinity"), "-Infinity"),
        (float("nan"), "NaN"),
        (Int64(-(2**63)), -(2**63)),
        (b"\x00\xff", "AP8="),
        (Binary(b"short", 4), "c2hvcnQ="),
        ({"$oid": "x", "a.b": 1, "": 2}, {"$oid": "x", "a.b": 1, "": 2}),
    ],
)
def test_value_has_the_documented_form(value: Any, expected: Any) -> None:
    """Text for readable types, Extended JSON for types that JSON does not have."""
    assert round_trip(value) == expected


def test_text_that_is_not_utf8_is_kept_as_escapes() -> None:
    """Old drivers wrote broken text. No byte is lost."""
    raw = bson.encode({"value": "abc"}).replace(b"abc", b"a\xffc")
    assert decode(raw)["value"] == "a\\xffc"


def test_deep_nesting_is_decoded() -> None:
    """A hundred levels, the most that the server stores."""
    deep: Any = "bottom"
    for _ in range(100):
        deep = {"a": [deep]}
    assert json.loads(msgspec.json.encode(round_trip(deep))) == deep


def element(kind: int, name: str, value: bytes) -> bytes:
    """Build one element of a BSON document, of types that no driver writes any more."""
    return bytes([kind]) + name.encode() + b"\0" + value


def raw_document(*elements: bytes) -> bytes:
    body = b"".join(elements) + b"\0"
    return (len(body) + 4).to_bytes(4, "little") + body


def raw_text(text: str) -> bytes:
    return (len(text.encode()) + 1).to_bytes(4, "little") + text.encode() + b"\0"


DB_POINTER = element(0x0C, "pointer", raw_text("payments") + bytes(11) + b"\1")
POINTS = {"$dbPointer": {"$ref": "payments", "$id": f"{1:024x}"}}


def test_dbpointer_becomes_extended_json() -> None:
    """No driver writes DBPointer, but every server stores it."""
    inner = element(0x04, "list", raw_document(element(0x03, "0", raw_document(DB_POINTER))))
    decoded = decode(raw_document(DB_POINTER, inner, element(0x10, "after", b"\7\0\0\0")))
    assert json.loads(msgspec.json.encode(decoded)) == {"pointer": POINTS, "list": [{"pointer": POINTS}], "after": 7}


def test_undefined_within_a_scope_is_not_null() -> None:
    """The scope of a code value is decoded like any other document."""
    scope = raw_document(element(0x06, "gone", b""), element(0x0A, "null", b""), DB_POINTER)
    code = raw_text("return x")
    scoped = element(0x0F, "code", (4 + len(code) + len(scope)).to_bytes(4, "little") + code + scope)
    decoded = decode(raw_document(scoped, element(0x06, "gone", b"")))
    gone = {"$undefined": True}
    assert decoded == {"code": {"$code": "return x", "$scope": {"gone": gone, "null": None, "pointer": POINTS}}, "gone": gone}


def test_duplicate_field_name_does_not_stop_the_stream() -> None:
    """The first value counts, and values of the second are not merged into it."""
    first = element(0x03, "twice", raw_document(element(0x06, "gone", b""), element(0x03, "inner", raw_document())))
    last = element(0x03, "twice", raw_document(element(0x10, "seven", b"\7\0\0\0")))
    assert decode(raw_document(last, first)) == {"twice": {"seven": 7}}
    assert decode(raw_document(first, last)) == {"twice": {"gone": {"$undefined": True}, "inner": {}}}


def test_undefined_is_not_null() -> None:
    """At any depth."""
    raw = bson.encode(EVERY_BSON_TYPE | {"value": None, "inner": {"list": [1, None]}})
    decoded = decode(raw.replace(b"\x0avalue", b"\x06value").replace(b"\x0a1", b"\x061"))
    assert decoded == decode(raw) | {"value": {"$undefined": True}, "inner": {"list": [1, {"$undefined": True}]}}
    assert decoded["null"] is None
