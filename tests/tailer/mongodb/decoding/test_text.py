"""Text that is not UTF-8 is escaped byte by byte, as Python does with ``backslashreplace``."""

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailer.mongodb.decoding.text import ESCAPED
from tailer.mongodb.decoding.values import decode

# Bytes that start, continue and end characters of each length, with lone surrogates and overlong forms.
PIECES = st.sampled_from([bytes([byte]) for byte in b"a\\\x00\x80\xa0\xbf\xc0\xc2\xe0\xed\xf0\x90\xf4\x8f\xff"])
TEXTS = st.binary(max_size=12) | st.lists(PIECES, max_size=12).map(b"".join)


@given(TEXTS)
def test_invalid_bytes_are_escaped(raw: bytes) -> None:
    """The rest of the text is unchanged."""
    assert raw.decode("utf-8", ESCAPED) == raw.decode("utf-8", "backslashreplace")


@pytest.mark.parametrize("size", range(5))
@given(text=TEXTS)
def test_no_character_is_split_at_a_chunk_border(size: int, text: bytes) -> None:
    """Long text is escaped in chunks, so that other threads run: the lease is renewed meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tailer.mongodb.decoding.text._PIECE", size + 1)
        assert text.decode("utf-8", ESCAPED) == text.decode("utf-8", "backslashreplace")


@given(TEXTS)
def test_documents_are_decoded_with_escapes(raw: bytes) -> None:
    """By pymongo's own decoder."""
    marked = bson.encode({"a": "x" * len(raw)}).replace(b"x" * len(raw), raw)
    assert decode(marked) == {"a": raw.decode("utf-8", "backslashreplace")}
