"""A stub replaces a change that must not be decoded, so nothing large is decoded to make it."""

import tracemalloc

import pytest

from tailer.mongodb.events.stubs import stub
from tests.bson_bytes import document
from tests.tailer.mongodb.events.test_decoded_size import VALUES

MANY = 120_000  # regular expressions: 0.6 MB of BSON and 45 MB decoded
TIMES = 50  # The peak memory of a stub as a multiple of the event's BSON: the name is made of the whole key.


@pytest.mark.heavy
def test_key_too_long_for_a_stub_is_not_decoded() -> None:
    """The key is left out, and a digest names the document."""
    kind, value = VALUES["regular expression, empty"]
    ten = document(*(b"%c%d\0%b" % (kind, number, value) for number in range(10)))
    key = document(*(b"\x04%d\0%b" % (number, ten) for number in range(MANY // 10)))
    event = document(
        b"\x03_id\0" + document(b"\x02_data\0\x03\0\0\x0082\0"),
        b"\x02operationType\0\x07\0\0\0insert\0",
        b"\x03documentKey\0" + document(b"\x03_id\0" + key),
    )
    tracemalloc.start()
    made = stub(event, 7, "it is too large")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < TIMES * len(event)
    assert (made.operation_type, made.document_key, made.poison is not None) == ("insert", {}, True)
    assert made.document_name
