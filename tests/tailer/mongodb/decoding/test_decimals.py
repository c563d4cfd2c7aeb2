"""The text of a Decimal128 is pymongo's, whatever its 128 bits are."""

from bson import Decimal128
from hypothesis import example, given
from hypothesis import strategies as st

from tailer.mongodb.decoding.decimals import decimal_text

TEXTS = (
    "NaN",
    "sNaN",
    "-NaN",
    "Infinity",
    "-Infinity",
    "-0E-6176",
    f"{'9' * 34}E+6111",
    "1E-6176",
    "7.00",
    "-0",
    "0E+3",
    "1E+10",
)


@given(st.binary(min_size=16, max_size=16) | st.sampled_from([Decimal128(text).bid for text in TEXTS]))
@example(b"\xff" * 16)
def test_it_is_as_pymongo_writes_it(bits: bytes) -> None:
    """Numbers in their own form or none, NaN and infinities."""
    value = Decimal128.from_bid(bits)
    assert decimal_text(value) == str(value)


@given(st.decimals(min_value=-(10**20), max_value=10**20, places=4))
def test_common_numbers_keep_their_digits(number: object) -> None:
    """As many places as they were written with."""
    assert decimal_text(Decimal128(str(number))) == str(Decimal128(str(number)))
