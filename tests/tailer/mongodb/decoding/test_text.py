"""Text that is not UTF-8 is told byte by byte, as Python itself would."""

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailer.mongodb.decoding.text import ESCAPED
from tailer.mongodb.decoding.values import decode

# Bytes that begin, go on with and end characters of each length, half characters and overlong forms among them.
PIECES = st.sampled_from([bytes([byte]) for byte in b"a\\\x00\x80\xa0\xbf\xc0\xc2\xe0\xed\xf0\x90\xf4\x8f\xff"])
TEXTS = st.binary(max_size=12) | st.lists(PIECES, max_size=12).map(b"".join)


@given(TEXTS)
def test_each_byte_of_no_character_is_escaped(raw: bytes) -> None:
    """The rest of the text is what it is."""
    assert raw.decode("utf-8", ESCAPED) == raw.decode("utf-8", "backslashreplace")


@pytest.mark.parametrize("size", range(5))
@given(text=TEXTS)
def test_no_character_is_cut_where_a_piece_ends(size: int, text: bytes) -> None:
    """A long text is escaped piece by piece, so that other threads go on: the lease is renewed meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tailer.mongodb.decoding.text._PIECE", size + 1)
        assert text.decode("utf-8", ESCAPED) == text.decode("utf-8", "backslashreplace")


@given(TEXTS)
def test_a_document_is_decoded_so(raw: bytes) -> None:
    """As the value of a field, by pymongo's own decoder."""
    marked = bson.encode({"a": "x" * len(raw)}).replace(b"x" * len(raw), raw)
    assert decode(marked) == {"a": raw.decode("utf-8", "backslashreplace")}
