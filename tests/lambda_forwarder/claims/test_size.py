"""The memory that JSON takes is told from its text, near enough to what it takes."""

import json
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_forwarder.claims.size import decoded_size, fits

MANY = 20_000
SHAPES: dict[str, Any] = {
    "numbers": [1_234_567] * MANY,
    "fractions": [1.5] * MANY,
    "texts": ["abcdefg"] * MANY,
    "empty arrays": [[]] * MANY,
    "arrays in arrays": [[[[[[[[[[0]]]]]]]]]] * (MANY // 10),
    "small objects": [{"a": 0}] * MANY,
    "objects in objects": [{"a": {"a": {"a": {"a": {"a": {"a": {}}}}}}}] * (MANY // 6),
    "objects of some fields": [dict.fromkeys("abcdef", 0)] * (MANY // 6),
    "names": {f"name{number}": number / 7 for number in range(MANY)},
    "long texts": ["x" * 1_000] * (MANY // 100),
}


@pytest.mark.parametrize("value", SHAPES.values(), ids=SHAPES.keys())
def test_what_is_told_is_what_it_takes(value: Any) -> None:
    """Never more than a third too little, which a limit has to leave room for, and at most four times as much."""
    text = msgspec.json.encode(value)
    tracemalloc.start()
    try:
        decoded = msgspec.json.decode(text)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert decoded == value
    assert 2 / 3 * taken < decoded_size(text) < 4 * taken + 10_000


def test_punctuation_in_a_text_is_no_structure() -> None:
    """A document may hold a whole table or other JSON as text: it is decoded however much of it there is."""
    text = json.dumps({"table": ',:{["\\' * 3_000_000}).encode()
    assert fits(text)
    assert not fits(text[:-2] + b',"' + b'"' + b',{"a":[]}' * 1_500_000)


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)), st.booleans())
def test_every_text_is_found_as_a_whole(value: Any, ascii_only: bool) -> None:
    """Where one ended too early, the rest would be taken for structure; where it ended too late, structure would be missed."""
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":")).encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lambda_forwarder.claims.size._SHORT", 0)
        assert decoded_size(text) == len(text) + structure(value)


def structure(value: Any) -> int:
    """What the signs of a value stand for, without a look at its text."""
    if isinstance(value, str):
        return 0
    inner = value if isinstance(value, list) else list(value.values())
    own = 96 if isinstance(value, list) else 128 + 64 * len(value)
    return own + 56 * max(len(value) - 1, 0) + sum(map(structure, inner))


@pytest.mark.parametrize("text", [b'"' * 2_000_000, b'"' + b'\\"' * 1_000_000, b'"' + b"\\" * 2_000_001, b""])
def test_what_is_not_json_is_measured_too(text: bytes) -> None:
    """In one pass, whether its texts end or not."""
    assert decoded_size(text) == len(text)
