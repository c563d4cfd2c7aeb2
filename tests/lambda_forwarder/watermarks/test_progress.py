"""Which changes of a lane are new, over one invocation and over many."""

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


class Counting(MemoryWatermarks):
    """Counts the calls; ``failing`` of its reads fail first."""

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


def numbered(sequences: Iterable[int], generation: int = 1, lane: int = 17) -> ChangeMessage:
    """Changes as a tailer numbers them: a later number was committed later."""
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


def delivered(watermarks: MemoryWatermarks, messages: Sequence[ChangeMessage]) -> list[tuple[int, int]]:
    """Deliver them in one invocation; the positions that were new, in order."""
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
    Invocations of messages of one lane, as tailers that crash send them: each goes on from where one before it had come
    to, or from earlier, and cuts its messages as it likes. Together they reach every number from 1.
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
    """Whatever prefixes and overlapping runs come again, in whatever messages: each change once, in order, none lost."""
    watermarks = MemoryWatermarks()
    published = [
        sequence
        for messages in invocations
        for _, sequence in delivered(watermarks, [numbered(sequences) for sequences in messages])
    ]
    assert published == list(range(1, max(published) + 1))


@given(replays(), replays())
def test_a_zombie_of_an_older_generation_changes_nothing(old: list[list[list[int]]], new: list[list[list[int]]]) -> None:
    """After a rewind the new generation's numbers are published again; whatever the old one still sends is not."""
    watermarks = MemoryWatermarks()
    for messages in old:
        delivered(watermarks, [numbered(sequences) for sequences in messages])
    published = []
    for number, messages in enumerate(new):
        published += delivered(watermarks, [numbered(sequences, generation=2) for sequences in messages])
        late = old[number % len(old)]
        assert delivered(watermarks, [numbered([one + 1_000 for one in sequences]) for sequences in late]) == []
    assert [sequence for _, sequence in published] == list(range(1, len(published) + 1))


def test_a_repeat_across_a_run_leaves_its_new_part() -> None:
    """The tailer packs a replay anew: the old half of a message goes, the new half stays."""
    watermarks = MemoryWatermarks()
    assert delivered(watermarks, [numbered([1, 2, 3])]) == [(1, 1), (1, 2), (1, 3)]
    assert delivered(watermarks, [numbered([2, 3, 4, 5])]) == [(1, 4), (1, 5)]


def test_what_was_sent_again_by_hand_is_new_and_moves_nothing() -> None:
    """A redriven dead letter comes late on purpose: its lane has gone on, and must not drop it."""
    watermarks = MemoryWatermarks()
    delivered(watermarks, [numbered([1, 3])])
    before, told = dict(watermarks.marks), numbered([2])
    again = delivery(body(*told.changes), sent="4d0f1f2e-0d3c-4c0c-9f1a-2b1a8c1d4e5f")
    progress = Progress(watermarks, [again])
    lane = progress.lane(again, told)
    assert progress.unpublished(lane, told, forever) == told
    progress.published(lane, told)
    assert watermarks.marks == before


def test_a_stream_that_counts_anew_is_not_taken_for_repeats(caplog: pytest.LogCaptureFixture) -> None:
    """A lost checkpoint begins at one again. Everything new is published, and the log says what to do about it."""
    watermarks = MemoryWatermarks(marks={LANE: Watermark(generation=1, sequence=4711, cluster_time="1795330600.1")})
    assert delivered(watermarks, [numbered([1, 2])]) == [(1, 1), (1, 2)]
    assert [line.__dict__["action"] for line in caplog.records] == ["lane_counts_anew"]
    assert "new generation" in caplog.text
    assert watermarks.marks[LANE].sequence == 4711


def test_an_invocation_is_one_read_and_a_write_for_each_message() -> None:
    """All its lanes at once; a message that holds nothing new costs no write."""
    watermarks = Counting()
    messages = [numbered([1], lane=1), numbered([2], lane=2), numbered([3], lane=1), numbered([3], lane=1)]
    assert len(delivered(watermarks, messages)) == 3
    assert watermarks.reads == [{"payments.1", "payments.2"}]
    assert watermarks.writes == ["payments.1", "payments.2", "payments.1"]


def test_a_failed_read_is_tried_again_for_the_next_message() -> None:
    """One throttled call fails one message and its group, not all that came with it."""
    told, records = numbered([1]), [delivery(body(*numbered([1]).changes))]
    progress = Progress(Counting(failing=1), records)
    lane = progress.lane(records[0], told)
    with pytest.raises(Unavailable):
        progress.unpublished(lane, told, forever)
    assert progress.unpublished(lane, told, forever) == told


def test_without_a_table_everything_is_new(caplog: pytest.LogCaptureFixture) -> None:
    """The feature is off: no call, no lane."""
    caplog.set_level(logging.DEBUG)
    told, one = numbered([1]), delivery(body(*numbered([1]).changes))
    progress = Progress(None, [one])
    assert progress.lane(one, told) is None
    assert progress.unpublished(None, told, forever) == told
    progress.published(None, told)
    assert caplog.records == []
