"""Which message bodies are read, and which numbers and times make a message unreadable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from lambda_forwarder.forwarding.reading import check, read_message
from tailrace.wire.message import UnreadableMessage
from tests.lambda_forwarder.values import body, cancelled, inserted, message


def test_message_of_the_tailer_is_read() -> None:
    assert read_message(body(inserted(), cancelled())) == message(inserted(), cancelled())


@pytest.mark.parametrize("number", [-1, 2**63, -(2**63), 2**64])
def test_impossible_sequence_or_generation_is_unreadable(number: int) -> None:
    """Its watermark would be above every later change, or could not be stored."""
    with pytest.raises(UnreadableMessage, match=str(number)):
        check(message(inserted(sequence=1), replace(inserted(), sequence=number)))
    with pytest.raises(UnreadableMessage, match=str(number)):
        check(message(inserted(), generation=number))


@pytest.mark.parametrize("stream", ["", "two words", "s" * 265, "\x1b[2J", "\u202e", "a/b", "a\n", "\ud800"])
def test_illegal_stream_name_is_unreadable(stream: str) -> None:
    """It would be shown to people and be a part of a watermark's key."""
    with pytest.raises(UnreadableMessage, match="the stream's name is"):
        check(replace(message(inserted()), stream=stream))


@pytest.mark.parametrize("lane", [-1, 100_000, 10**400], ids=["-1", "100,000", "10^400"])
def test_impossible_lane_is_unreadable(lane: int) -> None:
    """A stream has at most as many lanes as TAILER_LANES allows."""
    with pytest.raises(UnreadableMessage, match="0 to 99999"):
        check(message(inserted(), lane=lane))


@pytest.mark.parametrize("stream", ["payments", "p_1-a", f"dynamodb.{'t' * 255}"])
def test_legal_stream_name_is_read(stream: str) -> None:
    """Of a tailer, or of a DynamoDB table with the longest name."""
    check(replace(message(inserted()), stream=stream))


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_legal_sequence_and_generation_are_read(generation: int, sequence: int) -> None:
    """From zero to the largest int64."""
    check(message(replace(inserted(), sequence=sequence), generation=generation))


@pytest.mark.parametrize(
    "times",
    [
        {"wall_time": "2026-11-22T06:58:00"},
        {"wall_time": "2026-11-22T06:58:00+01:00"},
        {"wall_time": "0001-01-01T00:00:00+23:59"},
        {"wall_time": "soon"},
        {"wall_time": ""},
        {"wall_time": "\ud800"},
        {"wall_time": None, "cluster_time": "99999999999999.1"},
        {"wall_time": None, "cluster_time": "-1.1"},
        {"cluster_time": "1795330680"},
        {"cluster_time": ""},
        {"cluster_time": "9" * 5_000 + ".1"},
    ],
    ids=str,
)
def test_invalid_time_is_unreadable(times: dict[str, str | None]) -> None:
    """No event could be dated by it."""
    with pytest.raises(UnreadableMessage, match="change 2 is dated"):
        check(message(inserted(sequence=1), replace(cancelled(), **times)))


@pytest.mark.parametrize(
    "times",
    [
        {"wall_time": None},
        {"wall_time": None, "cluster_time": "0.0"},
        {"wall_time": None, "cluster_time": "4294967295.4294967295"},
        {"wall_time": "2026-11-22T06:58:00Z"},
        {"wall_time": "2026-11-22T06:58:00.123456Z"},
        {"wall_time": "2026-11-22T06:58:00+00:00"},
    ],
    ids=str,
)
def test_valid_time_is_read(times: dict[str, str | None]) -> None:
    """With or without a wall time, with any fraction of a second."""
    check(message(replace(inserted(), **times)))
