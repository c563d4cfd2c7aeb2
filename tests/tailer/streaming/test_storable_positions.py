"""A token that is too long for the stores is kept as its cluster time, and every change keeps its sequence."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tailer.model import After, At, Batch, Checkpoint
from tailer.streaming.storable_positions import TOKEN_LIMIT, StorablePositions
from tailrace.wire.change import Change
from tests.samples.changes import a_change

LONG = "8" * (TOKEN_LIMIT + 1)

run_lengths = st.lists(st.integers(1, 4), min_size=1, max_size=8)
"""How many changes each cluster time has: several, where they are of one transaction."""


def history(runs: Sequence[int]) -> list[Change]:
    times = [time for time, count in enumerate(runs, 1) for _ in range(count)]
    return [a_change(number, cluster_time=f"100.{time}") for number, time in enumerate(times, 1)]


def sequences_after(changes: list[Change], kept: Checkpoint) -> dict[str, int]:
    """Return the sequence of each change from a server that resumes at this position."""
    if isinstance(kept.position, At):
        rest = [one for one in changes if _increment(one.cluster_time) >= _increment(kept.position.time)]
    else:
        rest = changes[[one.id for one in changes].index(kept.position.token.removeprefix(LONG)) + 1 :]
    return {one.id: number for number, one in enumerate(rest, kept.sequence + 1)}


def _increment(time: str) -> int:
    return int(time.partition(".")[2])


@given(run_lengths, st.integers(0, 8), st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=20))
def test_changes_read_again_keep_their_sequence_and_none_is_lost(
    runs: list[int], begin: int, replies: list[tuple[int, bool]]
) -> None:
    """However the changes are split into replies, wherever reading began, and whichever tokens are too long."""
    changes = history(runs)
    begin = min(begin, len(changes))
    start = Checkpoint(position=At("100.1"))
    if begin:
        last = changes[begin - 1]
        start = Checkpoint(sequence=begin, position=After(last.id, last.cluster_time))
    positions, delivered, reached = StorablePositions(start), begin, start
    for size, short in replies:
        batch = changes[delivered : delivered + size]
        delivered += len(batch)
        if batch:
            token = batch[-1].id if short else LONG + batch[-1].id
            reached = replace(reached, sequence=delivered, position=After(token, batch[-1].cluster_time))
        kept = positions.after(Batch(changes=batch, checkpoint=reached))
        assert isinstance(kept.position, At) or len(kept.position.token) <= TOKEN_LIMIT
        numbers = sequences_after(changes, kept)
        assert numbers.items() >= {one.id: one.sequence for one in changes[delivered:]}.items()
        assert numbers.items() <= {one.id: one.sequence for one in changes}.items()


def test_long_token_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The line says that nothing is lost, and contains nothing of the document."""
    positions = StorablePositions(Checkpoint(position=At("100.0")))
    for change in history([1, 1, 1]):
        kept = positions.after(
            Batch(changes=[change], checkpoint=Checkpoint(position=After(LONG, change.cluster_time), sequence=change.sequence))
        )
        assert (kept.position, kept.sequence) == (At(change.cluster_time), change.sequence - 1)
    [record] = caplog.records
    assert "Nothing is lost" in record.getMessage()
    assert LONG not in record.getMessage()
