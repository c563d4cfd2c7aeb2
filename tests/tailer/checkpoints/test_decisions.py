"""A person's decisions, where the server says little: what is unknown is asked for, never made up."""

from collections.abc import Generator
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from tailer.checkpoints import decisions
from tailer.errors import HistoryLost, Misconfigured
from tailer.model import Batch, Checkpoint, Record
from tailer.pace import Pace
from tailer.streaming.headroom import headroom
from tailer.times import UNKNOWN, rfc3339
from tests.samples.changes import a_change

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
POST_BATCH = "016921a4c80000000004"  # DocumentDB, 2025-11-22T11:55:52Z
NAMELESS = "4711"  # a token of a form that is not known
TIME = "2025-11-22T11:55:52Z"


class Server:
    """A source that gives this batch first, or no longer has the history."""

    def __init__(self, batch: Batch | None = None) -> None:
        self._batch = batch

    def batches(self, after: Checkpoint, pace: Pace) -> Generator[Batch]:
        if self._batch is None:
            raise HistoryLost("gone")
        yield self._batch

    def first(self) -> Checkpoint:
        return Checkpoint(cluster_time="1763812600.1")

    def oldest(self) -> str | None:
        return None

    def outstanding(self) -> float | None:
        return None

    def interrupt(self) -> None:
        """Nothing is read in another thread."""


def silent(token: str) -> Server:
    """Without post-batch tokens: an empty reply leaves the position as it is."""
    return Server(Batch(changes=(), checkpoint=Checkpoint(token=token, cluster_time=UNKNOWN, unconfirmed=True)))


def to(token: str, server: Server) -> Checkpoint:
    return decisions.checked(server, decisions.position(token, server))


def test_a_seeded_token_has_its_own_time() -> None:
    """Lag, headroom and a rewind know it, on a server that says nothing more."""
    seeded = decisions.seeded(Record(stream="payments"), to(POST_BATCH, silent(POST_BATCH)), NOW)
    assert seeded.checkpoint is not None
    assert rfc3339(seeded.checkpoint.reached) == TIME
    assert headroom(Server(), seeded.checkpoint, history_seconds=10**9, now=NOW) is not None
    again = decisions.moved(seeded, to(TIME, silent(POST_BATCH)))
    assert again.checkpoint is not None
    assert rfc3339(again.checkpoint.reached) == TIME


def test_a_token_without_a_time_takes_that_of_the_next_change() -> None:
    """Everything before that change is delivered, so to go back to its time skips nothing."""
    coming = Server(Batch(changes=[a_change(7)], checkpoint=Checkpoint(token="x", cluster_time="1795332226.7")))
    assert to(NAMELESS, coming).reached == "1795332226.7"


def test_what_nobody_knows_is_never_1970() -> None:
    """A token without a time and nothing to come: figures are unknown, and a person is asked for the time."""
    unknown = decisions.seeded(Record(stream="payments"), to(NAMELESS, silent(NAMELESS)), NOW)
    assert unknown.checkpoint is not None
    assert (unknown.checkpoint.reached, rfc3339(unknown.checkpoint.reached)) == (None, "an unknown time")
    assert headroom(Server(), unknown.checkpoint, history_seconds=3600, now=NOW) is None
    known = replace(unknown, checkpoint=Checkpoint(cluster_time="1795332226.1"))
    with pytest.raises(Misconfigured, match="give a time"):
        decisions.moved(known, unknown.checkpoint)
    with pytest.raises(Misconfigured, match="give a time"):
        decisions.gap_accepted(known, Server(), unknown.checkpoint, by="me", reason="lost", now=NOW)
    with pytest.raises(Misconfigured, match="rewind --to TIME"):
        decisions.gap_accepted(unknown, Server(), None, by="me", reason="lost", now=NOW)
    told = decisions.moved(unknown, to(TIME, silent(NAMELESS)))
    [gap] = decisions.gap_accepted(told, Server(), None, by="me", reason="lost", now=NOW).gaps
    assert (rfc3339(gap.after), gap.until) == (TIME, "1763812600.1")


def test_settings_are_accepted_whatever_the_position_s_time() -> None:
    """It stays where it is."""
    record = Record(stream="payments", checkpoint=Checkpoint(token=NAMELESS, cluster_time=UNKNOWN))
    accepted = decisions.settings_accepted(record, "{}")
    assert accepted.checkpoint == Checkpoint(generation=2, token=NAMELESS, cluster_time=UNKNOWN)


@pytest.mark.parametrize("server", [silent(POST_BATCH), Server()])
def test_the_time_that_is_printed_can_be_gone_back_to(server: Server) -> None:
    """To the second that status shows, also where the token is the beginning of it."""
    record = Record(stream="payments", checkpoint=Checkpoint(token=POST_BATCH, cluster_time="1795332226.1"))
    moved = decisions.moved(record, decisions.position(rfc3339(record.checkpoint.reached), server))  # type: ignore[union-attr]
    assert moved.checkpoint is not None
    assert moved.checkpoint.reached == "1763812552.1"
    with pytest.raises(Misconfigured, match="later than"):
        decisions.moved(record, decisions.position("2025-11-22T11:55:53Z", server))
