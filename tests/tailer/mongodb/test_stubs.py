"""A stub stands for what must not be decoded, so nothing large is decoded for it."""

import tracemalloc

from tailer.mongodb.stubs import stub
from tests.tailer.mongodb.test_decoded_size import VALUES, document

MANY = 120_000  # regular expressions: 0.6 MB of BSON and 45 MB decoded
TIMES = 50  # its BSON, that a stub takes at most while it is made; its name is made of the whole key


def test_a_key_that_is_too_long_for_a_stub_is_not_decoded() -> None:
    """It is named by a digest, and left out."""
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
