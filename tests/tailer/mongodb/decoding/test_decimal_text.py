"""The text of a Decimal128 equals pymongo's for every pattern of its 128 bits."""

from bson import Decimal128
from hypothesis import example, given
from hypothesis import strategies as st

from tailer.mongodb.decoding.text import decimal_text

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
def test_decimal_text_equals_pymongos(bits: bytes) -> None:
    """In normal form or not, NaN and infinities."""
    value = Decimal128.from_bid(bits)
    assert decimal_text(value) == str(value)


@given(st.decimals(min_value=-(10**20), max_value=10**20, places=4))
def test_common_decimals_keep_their_digits(number: object) -> None:
    assert decimal_text(Decimal128(str(number))) == str(Decimal128(str(number)))
