"""The memory of a decoded event is estimated from its BSON, and the estimate is an upper bound."""

import struct
import tracemalloc
from functools import partial

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailer.mongodb.decoding.values import decode
from tailer.mongodb.events.decoded_size import WORST, decoded_size
from tests.bson_bytes import binary, document, scoped, text

MANY = 500  # elements of a kind, enough to make the memory of a single call negligible
FIXED_COSTS = 5_000  # bytes, of a call and of what the interpreter keeps after it

NULL = b"\x0aa\0"
VALUES = {
    "double": (0x01, struct.pack("<d", -1.2345678901234567e-300)),
    "string, empty": (0x02, text(b"")),
    "string": (0x02, text(b"abcde")),
    "string of control characters": (0x02, text(b"\1" * 100)),
    "string of quotes": (0x02, text(b'"' * 100)),
    "string of umlauts": (0x02, text("äöü".encode() * 30)),
    "string with an emoji at its end": (0x02, text(b"a" * 100 + "😀".encode())),
    "string that is not UTF-8": (0x02, text(b"\xff" * 100)),
    "string that is not UTF-8, with an emoji": (0x02, text(b"\xff" * 100 + "😀".encode())),
    "document, empty": (0x03, document()),
    "document of one field": (0x03, document(NULL)),
    "document of six fields": (0x03, document(*(b"\x0a" + name + b"\0" for name in (b"a", b"b", b"c", b"d", b"e", b"f")))),
    "DBRef": (0x03, document(b"\x02$ref\0" + text(b"a"), b"\x0a$id\0")),
    "array, empty": (0x04, document()),
    "array of one": (0x04, document(b"\x0a0\0")),
    "binary, empty": (0x05, binary(0, b"")),
    "binary": (0x05, binary(0, b"a" * 100)),
    "UUID": (0x05, binary(4, b"a" * 16)),
    "legacy UUID": (0x05, binary(3, b"a" * 16)),
    "legacy UUID, empty": (0x05, binary(3, b"")),
    "undefined": (0x06, b""),
    "ObjectId": (0x07, b"a" * 12),
    "boolean": (0x08, b"\1"),
    "date": (0x09, struct.pack("<q", 1_700_000_000_000)),
    "date before 1970": (0x09, struct.pack("<q", -1)),
    "date of the year 10000": (0x09, struct.pack("<q", 253_402_300_800_000)),
    "null": (0x0A, b""),
    "regular expression, empty": (0x0B, b"\0\0"),
    "regular expression": (0x0B, b"^a.*\0ix\0"),
    "DBPointer": (0x0C, text(b"a") + b"a" * 12),
    "code": (0x0D, text(b"f()")),
    "symbol": (0x0E, text(b"abc")),
    "code with a scope": (0x0F, scoped(b"f()", document(NULL))),
    "int32": (0x10, struct.pack("<i", -(2**31))),
    "timestamp": (0x11, b"\xfe" * 8),
    "int64": (0x12, struct.pack("<q", -(2**63))),
    "decimal": (0x13, b"\x12" * 16),
    "MaxKey": (0x7F, b""),
    "MinKey": (0xFF, b""),
}


def measured_memory(raw: bytes) -> int:
    """Return the peak memory of decoding and encoding, without the BSON itself."""
    tracemalloc.start()
    try:
        decoded = decode(raw)
        encoded = msgspec.json.encode(decoded)
        assert len(encoded) > 1
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def array_of(kind: int, value: bytes) -> bytes:
    return document(b"\x04a\0" + document(*(b"%c%d\0%b" % (kind, number, value) for number in range(MANY))))


def fields_of(kind: int, value: bytes) -> bytes:
    return document(*(b"%c%x\0%b" % (kind, number, value) for number in range(MANY)))


def documents_of(kind: int, value: bytes) -> bytes:
    """Put each value into a document of its own, which takes the most memory."""
    one = document(b"%ca\0%b" % (kind, value))
    return document(b"\x04a\0" + document(*(b"\x03%d\0%b" % (number, one) for number in range(MANY))))


def small_arrays_of(kind: int, value: bytes) -> bytes:
    ten = document(*(b"%c%d\0%b" % (kind, number, value) for number in range(10)))
    return document(b"\x04a\0" + document(*(b"\x04%d\0%b" % (number, ten) for number in range(MANY // 10))))


@pytest.mark.parametrize("shape", [array_of, fields_of, documents_of, small_arrays_of])
@pytest.mark.parametrize("what", VALUES)
def test_no_type_exceeds_its_estimate(what: str, shape: "partial[bytes]") -> None:
    """In arrays, as fields and in documents of one field; nor ``WORST`` times its BSON."""
    raw = shape(*VALUES[what])
    took = measured_memory(raw)
    assert took <= decoded_size(raw) + FIXED_COSTS
    assert took <= WORST * len(raw) + FIXED_COSTS


@pytest.mark.parametrize("what", VALUES)
def test_estimate_is_at_most_six_times_too_high(what: str) -> None:
    """A higher estimate would refuse harmless documents."""
    raw = array_of(*VALUES[what])
    assert decoded_size(raw) < 6 * (measured_memory(raw) + len(raw))


@st.composite
def bodies(draw: st.DrawFn, depth: int = 3) -> bytes:
    """Build a document of any types, names and texts, valid UTF-8 or not."""
    elements = []
    for _ in range(draw(st.integers(0, 6))):
        name = draw(st.binary(max_size=12)).replace(b"\0", b"")
        kinds = st.sampled_from(list(VALUES.values()))
        nested = st.tuples(st.sampled_from([3, 4]), bodies(depth=depth - 1)) if depth else kinds
        strings = st.tuples(st.just(2), st.binary(max_size=300).map(text))
        kind, value = draw(st.one_of(kinds, nested, strings))
        elements.append(b"%c%b\0%b" % (kind, name, value))
    return document(*elements)


@given(bodies(), st.integers(1, 50))
def test_no_document_exceeds_its_estimate(body: bytes, times: int) -> None:
    """The lowest of three measurements: another thread of the process may allocate memory meanwhile."""
    raw = document(b"\x04a\0" + document(*(b"\x03%d\0%b" % (number, body) for number in range(times))))
    assert min(measured_memory(raw) for _ in range(3)) <= decoded_size(raw) + FIXED_COSTS


@pytest.mark.parametrize("cut", [b"", b"\5\0\0\0", document(b"\x02a\0" + text(b"abc"))[:-6], document(b"\x63a\0")])
def test_invalid_bson_has_no_estimate(cut: bytes) -> None:
    """It is truncated, or holds a type that does not exist."""
    with pytest.raises((IndexError, KeyError, ValueError)):
        decoded_size(cut)
