"""A person's decisions about a stream: what the server does not report is asked for and never invented."""

from collections.abc import Generator
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from tailer.checkpoints import decisions
from tailer.checkpoints.positions import opened, position
from tailer.errors import HistoryLost, Misconfigured
from tailer.history import headroom, history
from tailer.model import After, At, Batch, Checkpoint, Position, Record
from tailer.read_limits import ReadLimits
from tailer.times import rfc3339
from tests.samples.changes import a_change

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
POST_BATCH = "016921a4c80000000004"  # DocumentDB, 2025-11-22T11:55:52Z
NAMELESS = "4711"  # a token in an unknown format
TIME = "2025-11-22T11:55:52Z"


class FakeServer:
    """A source that yields this batch first, or has lost its history without one."""

    def __init__(self, batch: Batch | None = None) -> None:
        self._batch = batch

    def batches(self, after: Checkpoint, limits: ReadLimits) -> Generator[Batch]:
        if self._batch is None:
            raise HistoryLost("gone")
        yield self._batch

    def first(self) -> Checkpoint:
        return Checkpoint(position=At("1763812600.1"))

    def oldest(self) -> str | None:
        return None

    def outstanding(self) -> float | None:
        return None

    def interrupt(self) -> None:
        """Do nothing: no read runs in another thread."""


def silent_server(token: str) -> FakeServer:
    """A server without post-batch tokens: an empty reply leaves the position unchanged."""
    return FakeServer(Batch(changes=(), checkpoint=Checkpoint(position=After(token), unconfirmed=True)))


def position_of(token: str, server: FakeServer) -> Position:
    return opened(server, position(token, server))


def test_seeded_token_has_its_own_time() -> None:
    """Lag, headroom and a rewind use it where the server reports no other time."""
    seeded = decisions.seeded(Record(stream="payments"), position_of(POST_BATCH, silent_server(POST_BATCH)), NOW)
    assert seeded.checkpoint is not None
    assert rfc3339(seeded.checkpoint.reached) == TIME
    assert headroom(history(FakeServer(), history_seconds=10**9, now=NOW), seeded.checkpoint, NOW) is not None
    again = decisions.moved(seeded, position_of(TIME, silent_server(POST_BATCH)))
    assert again.checkpoint is not None
    assert rfc3339(again.checkpoint.reached) == TIME


def test_token_without_time_takes_the_time_of_the_next_change() -> None:
    """Every change before it is delivered, so a rewind to this time skips nothing."""
    coming = FakeServer(Batch(changes=[a_change(7)], checkpoint=Checkpoint(position=After("x", "1795332226.7"))))
    assert position_of(NAMELESS, coming).time == "1795332226.7"


def test_source_that_yields_nothing_leaves_the_position_as_it_is() -> None:
    """It opened the position, and says no more about it."""

    class Empty(FakeServer):
        def batches(self, after: Checkpoint, limits: ReadLimits) -> Generator[Batch]:
            yield from ()

    assert position_of(NAMELESS, Empty()) == After(NAMELESS)
    assert position_of(TIME, Empty()) == At("1763812552.1")


def test_unknown_time_is_never_1970() -> None:
    """For a token without a time and with no change to come, metrics are unknown and a person is asked for the time."""
    unknown = decisions.seeded(Record(stream="payments"), position_of(NAMELESS, silent_server(NAMELESS)), NOW)
    assert unknown.checkpoint is not None
    assert (unknown.checkpoint.reached, rfc3339(unknown.checkpoint.reached)) == (None, "an unknown time")
    assert headroom(history(FakeServer(), history_seconds=3600, now=NOW), unknown.checkpoint, NOW) is None
    known = replace(unknown, checkpoint=Checkpoint(position=At("1795332226.1")))
    with pytest.raises(Misconfigured, match="give a time"):
        decisions.moved(known, unknown.checkpoint.position)
    with pytest.raises(Misconfigured, match="give a time"):
        decisions.gap_accepted(known, FakeServer(), unknown.checkpoint.position, by="me", reason="lost", now=NOW)
    with pytest.raises(Misconfigured, match="rewind --to TIME"):
        decisions.gap_accepted(unknown, FakeServer(), None, by="me", reason="lost", now=NOW)
    told = decisions.moved(unknown, position_of(TIME, silent_server(NAMELESS)))
    [gap] = decisions.gap_accepted(told, FakeServer(), None, by="me", reason="lost", now=NOW).gaps
    assert (rfc3339(gap.after), gap.until) == (TIME, "1763812600.1")


def test_settings_are_accepted_without_moving_the_position() -> None:
    """Even if its time is unknown."""
    record = Record(stream="payments", checkpoint=Checkpoint(position=After(NAMELESS)))
    accepted = decisions.settings_accepted(record, "{}")
    assert accepted.checkpoint == Checkpoint(generation=2, position=After(NAMELESS))


@pytest.mark.parametrize("server", [silent_server(POST_BATCH), FakeServer()])
def test_printed_time_can_be_rewound_to(server: FakeServer) -> None:
    """To the second that status prints, even if the token is the beginning of that second."""
    record = Record(stream="payments", checkpoint=Checkpoint(position=After(POST_BATCH, "1795332226.1")))
    moved = decisions.moved(record, position(rfc3339(record.checkpoint.reached), server))  # type: ignore[union-attr]
    assert moved.checkpoint is not None
    assert moved.checkpoint.reached == "1763812552.1"
    with pytest.raises(Misconfigured, match="later than"):
        decisions.moved(record, position("2025-11-22T11:55:53Z", server))
