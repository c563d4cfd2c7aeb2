"""The memory and the depth of JSON are estimated from its text: memory is an upper bound, depth is exact."""

import json
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.wire import bounds
from tests.lambda_forwarder.memory.costly import VALUES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


OWN = 100  # bytes of the test itself


def encoded(value: Any, *, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":")).encode("utf-8", "surrogatepass")


def depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_memory_estimate_is_an_upper_bound(value: Any) -> None:
    """While the text is decoded, afterwards, and while it is encoded again: that adds UTF-8 to every text that is not ASCII."""
    text = value(300_000)
    tracemalloc.start()
    try:
        decoded = msgspec.json.decode(text)
        _, decoding = tracemalloc.get_traced_memory()
        size = len(msgspec.json.encode(decoded))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept <= bounds.decoded(text) + OWN
    assert len(text) + decoding <= bounds.memory(text)
    assert kept + bounds.COPIES * size <= bounds.memory(text) + OWN


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_small_text_fits_without_a_scan(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ordinary messages cost nothing: no byte of JSON is worth more than the assumed maximum."""
    text = value(50_000)
    room = len(text) * (bounds.MOST + bounds.COPIES)
    assert bounds.memory(text) <= room
    monkeypatch.setattr(bounds, "memory", None)
    assert bounds.fits(text, room)


@given(JSON, st.booleans(), st.integers(1, 9))
def test_estimates_do_not_depend_on_chunk_borders(value: Any, ascii_only: bool, chunk: int) -> None:
    """Inside a text, an escape or a long string the depth is the same, and the memory is no less."""
    text = encoded(value, ascii_only=ascii_only)
    whole = bounds.decoded(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bounds, "_CHUNK", chunk)
        patched.setattr(bounds, "NESTING_LIMIT", -1)
        assert bounds.nesting(text) == depth(value)
        assert bounds.decoded(text) >= whole


@given(JSON, st.booleans())
def test_depth_is_never_estimated_too_small(value: Any, ascii_only: bool) -> None:
    assert bounds.nesting(encoded(value, ascii_only=ascii_only)) >= depth(value)


@pytest.mark.parametrize(
    "text", [b'"' * 200_000, b'"' + b'\\"' * 100_000, b'"' + b"\\" * 200_001, b"\\" * 65_537, b"", b'"\xff']
)
def test_invalid_json_is_estimated_too(text: bytes) -> None:
    """Strings may be unterminated and cut anywhere."""
    assert bounds.decoded(text) >= len(text) // 2
    assert bounds.nesting(text) == 0


def test_wide_character_widens_its_own_string_only() -> None:
    """Python stores a string with an emoji in four bytes per character."""
    narrow, wide = b'"' + b"x" * 1_000_000 + b'"', b'"' + b"x" * 1_000_000 + '😀"'.encode()
    assert bounds.decoded(b"[" + b",".join([narrow] * 9) + b"]") < 9_010_000
    one = bounds.decoded(b"[" + b",".join([narrow] * 8 + [wide]) + b"]")
    assert 8_000_000 + 5_000_000 < one < 13_010_000
