"""What JSON costs is told from its text: never less than it takes, and how deep it is exactly."""

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


OWN = 100  # bytes of what a test itself keeps


def encoded(value: Any, *, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":")).encode("utf-8", "surrogatepass")


def depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_nothing_takes_more_than_is_told(value: Any) -> None:
    """While it is decoded, afterwards, and once it was encoded again, which leaves UTF-8 beside each text that is not ASCII."""
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
def test_what_is_small_fits_without_a_look(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the ordinary message costs nothing: no byte of JSON is worth more than is assumed of all."""
    text = value(50_000)
    room = len(text) * (bounds.MOST + bounds.COPIES)
    assert bounds.memory(text) <= room
    monkeypatch.setattr(bounds, "memory", None)
    assert bounds.fits(text, room)


@given(JSON, st.booleans(), st.integers(1, 9))
def test_parts_are_told_as_the_whole(value: Any, ascii_only: bool, chunk: int) -> None:
    """A text, an escape or a long string may be cut anywhere: the depth is the same, and no less memory is told."""
    text = encoded(value, ascii_only=ascii_only)
    whole = bounds.decoded(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bounds, "_CHUNK", chunk)
        patched.setattr(bounds, "NESTING_LIMIT", -1)
        assert bounds.nesting(text) == depth(value)
        assert bounds.decoded(text) >= whole


@given(JSON, st.booleans())
def test_depth_is_never_told_too_small(value: Any, ascii_only: bool) -> None:
    """Where there is little that could be nested it is counted, not looked for."""
    assert bounds.nesting(encoded(value, ascii_only=ascii_only)) >= depth(value)


@pytest.mark.parametrize(
    "text", [b'"' * 200_000, b'"' + b'\\"' * 100_000, b'"' + b"\\" * 200_001, b"\\" * 65_537, b"", b'"\xff']
)
def test_what_is_not_json_is_measured_too(text: bytes) -> None:
    """Whether its texts end or not, and wherever it is cut."""
    assert bounds.decoded(text) >= len(text) // 2
    assert bounds.nesting(text) == 0


def test_one_wide_character_widens_its_own_text_only() -> None:
    """Python keeps a text with an emoji in four bytes for each of its characters, and no other."""
    narrow, wide = b'"' + b"x" * 1_000_000 + b'"', b'"' + b"x" * 1_000_000 + '😀"'.encode()
    assert bounds.decoded(b"[" + b",".join([narrow] * 9) + b"]") < 9_010_000
    one = bounds.decoded(b"[" + b",".join([narrow] * 8 + [wide]) + b"]")
    assert 8_000_000 + 5_000_000 < one < 13_010_000
