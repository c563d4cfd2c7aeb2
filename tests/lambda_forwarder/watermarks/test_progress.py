"""Which changes of a lane are new, within one invocation and across invocations."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.in_memory import MemoryWatermarks
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.watermarks.progress import Progress
from tailrace.change import Change
from tailrace.message import ChangeMessage
from tests.lambda_forwarder.values import body, delivery, forever, inserted, message

LANE = "payments.17"


class CountingWatermarks(MemoryWatermarks):
    """Counts the calls; its first ``failing`` reads fail."""

    def __init__(self, failing: int = 0) -> None:
        super().__init__()
        self.failing = failing
        self.reads: list[Collection[str]] = []
        self.writes: list[str] = []

    def read(self, lanes: Collection[str], time_left: TimeLeft) -> Mapping[str, Watermark]:
        self.reads.append(lanes)
        if len(self.reads) <= self.failing:
            raise Unavailable("throttled")
        return super().read(lanes, time_left)

    def advance(self, lane: str, to: Watermark) -> None:
        self.writes.append(lane)
        super().advance(lane, to)


def numbered_message(sequences: Iterable[int], generation: int = 1, lane: int = 17) -> ChangeMessage:
    """Build a message with changes as the tailer numbers them: a higher sequence was committed later."""
    changes = [inserted(str(sequence), sequence) for sequence in sequences]
    return message(*(_at(change) for change in changes), lane=lane, generation=generation)


def _at(change: Change) -> Change:
    return type(change)(
        id=change.id,
        sequence=change.sequence,
        operation_type="insert",
        ns=change.ns,
        cluster_time=f"1795330680.{change.sequence}",
        document_key=change.document_key,
    )


def deliver(watermarks: MemoryWatermarks, messages: Sequence[ChangeMessage]) -> list[tuple[int, int]]:
    """Deliver the messages in one invocation and return the new positions in order."""
    records = [
        delivery(body(*told.changes, lane=told.lane, generation=told.generation), group=f"payments.{told.lane}")
        for told in messages
    ]
    progress, published = Progress(watermarks, records), []
    for one, told in zip(records, messages, strict=True):
        lane = progress.lane(one, told)
        new = progress.unpublished(lane, told, forever)
        published += [(new.generation, change.sequence) for change in new.changes]
        progress.published(lane, new)
    return published


@st.composite
def replays(draw: st.DrawFn) -> list[list[list[int]]]:
    """
    Build invocations with messages of one lane, as tailers that crash send them: each resumes where an earlier one ended, or
    before, and splits its messages differently. Together they reach every sequence from 1.
    """
    last, invocations = draw(st.integers(1, 30)), []
    reached = 0
    while reached < last:
        start = draw(st.integers(1, reached + 1))
        end = draw(st.integers(start, last))
        run, messages = list(range(start, end + 1)), []
        while run:
            size = draw(st.integers(1, len(run)))
            messages.append(run[:size])
            run = run[size:]
        invocations.append(messages)
        reached = max(reached, end)
    return invocations


@given(replays())
def test_every_change_is_new_once_and_in_order(invocations: list[list[list[int]]]) -> None:
    """Whatever is repeated, in whatever messages."""
    watermarks = MemoryWatermarks()
    published = [
        sequence
        for messages in invocations
        for _, sequence in deliver(watermarks, [numbered_message(sequences) for sequences in messages])
    ]
    assert published == list(range(1, max(published) + 1))


@given(replays(), replays())
def test_change_of_an_older_generation_is_never_new(old: list[list[list[int]]], new: list[list[list[int]]]) -> None:
    """After a rewind the sequences of the new generation are published again."""
    watermarks = MemoryWatermarks()
    for messages in old:
        deliver(watermarks, [numbered_message(sequences) for sequences in messages])
    published = []
    for number, messages in enumerate(new):
        published += deliver(watermarks, [numbered_message(sequences, generation=2) for sequences in messages])
        late = old[number % len(old)]
        assert deliver(watermarks, [numbered_message([one + 1_000 for one in sequences]) for sequences in late]) == []
    assert [sequence for _, sequence in published] == list(range(1, len(published) + 1))


def test_only_the_new_part_of_an_overlapping_message_is_new() -> None:
    """A restarted tailer packs its messages differently."""
    watermarks = MemoryWatermarks()
    assert deliver(watermarks, [numbered_message([1, 2, 3])]) == [(1, 1), (1, 2), (1, 3)]
    assert deliver(watermarks, [numbered_message([2, 3, 4, 5])]) == [(1, 4), (1, 5)]


def test_redriven_message_is_new_and_moves_no_watermark() -> None:
    """Its lane is already further."""
    watermarks = MemoryWatermarks()
    deliver(watermarks, [numbered_message([1, 3])])
    before, told = dict(watermarks.marks), numbered_message([2])
    again = delivery(body(*told.changes), sent="4d0f1f2e-0d3c-4c0c-9f1a-2b1a8c1d4e5f")
    progress = Progress(watermarks, [again])
    lane = progress.lane(again, told)
    assert progress.unpublished(lane, told, forever) == told
    progress.published(lane, told)
    assert watermarks.marks == before


def test_renumbered_stream_is_published_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A stream that lost its checkpoint starts at one. The log has the remedy."""
    watermarks = MemoryWatermarks(marks={LANE: Watermark(generation=1, sequence=4711, cluster_time="1795330600.1")})
    assert deliver(watermarks, [numbered_message([1, 2])]) == [(1, 1), (1, 2)]
    assert [line.__dict__["action"] for line in caplog.records] == ["lane_counts_anew"]
    assert "new generation" in caplog.text
    assert watermarks.marks[LANE].sequence == 4711


def test_invocation_reads_once_and_writes_once_per_new_message() -> None:
    watermarks = CountingWatermarks()
    messages = [
        numbered_message([1], lane=1),
        numbered_message([2], lane=2),
        numbered_message([3], lane=1),
        numbered_message([3], lane=1),
    ]
    assert len(deliver(watermarks, messages)) == 3
    assert watermarks.reads == [{"payments.1", "payments.2"}]
    assert watermarks.writes == ["payments.1", "payments.2", "payments.1"]


def test_failed_read_is_retried_with_the_next_message() -> None:
    """One throttled call fails one message and its group."""
    told, records = numbered_message([1]), [delivery(body(*numbered_message([1]).changes))]
    progress = Progress(CountingWatermarks(failing=1), records)
    lane = progress.lane(records[0], told)
    with pytest.raises(Unavailable):
        progress.unpublished(lane, told, forever)
    assert progress.unpublished(lane, told, forever) == told


def test_every_change_is_new_without_a_table(caplog: pytest.LogCaptureFixture) -> None:
    """Without any call."""
    caplog.set_level(logging.DEBUG)
    told, one = numbered_message([1]), delivery(body(*numbered_message([1]).changes))
    progress = Progress(None, [one])
    assert progress.lane(one, told) is None
    assert progress.unpublished(None, told, forever) == told
    progress.published(None, told)
    assert caplog.records == []
