"""The memory of a redrive is bounded, whatever the backlog and whatever remains of it."""

from collections.abc import Sequence
from typing import Any

import pytest

from examples.payments.events.payments import payment_created
from lambda_forwarder.in_memory import MemoryBacklog
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Published, TimeLeft
from lambda_forwarder.redriving import late_changes, redrive
from lambda_forwarder.redriving.late_changes import LateChanges
from lambda_forwarder.redriving.outcome import Outcome, RedrivenChange
from lambda_forwarder.redriving.queues import dead_letter_queue
from tailrace.change import Change
from tailrace.events import Mapper
from tests.lambda_forwarder.redriving.test_redriver import RedriveFixture, counts, failing_once_like, measured
from tests.lambda_forwarder.values import body, inserted, message


class DiscardingPublisher:
    """Accepts every event and keeps none."""

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        return Published()


class GeneratedBacklog(MemoryBacklog):
    """A backlog that makes this many messages as they are taken, each with its own lane and ten documents."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._left = count

    def take(self, count: int, seconds: float) -> Sequence[Delivery]:
        numbers = range(self._left, max(0, self._left - min(count, 10)), -1)
        self._left -= len(numbers)
        return [Delivery(id=f"{n:04}", group=f"{n:04}", body=self._body(n), receipt=f"{n:04}" * 500) for n in numbers]

    def remove(self, waiting: Sequence[Delivery], time_left: TimeLeft) -> None:
        """Keep nothing."""

    def _body(self, number: int) -> str:
        return body(*(inserted(f"{number:04}-{each}", number * 10 + each) for each in range(10)), lane=number)


def map_to_nothing(change: Change) -> None:
    """Return no event."""


@pytest.fixture(autouse=True)
def _low_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test reaches."""
    monkeypatch.setattr(late_changes, "KNOWN", 200)
    monkeypatch.setattr(redrive, "RECEIPTS", 20)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("mapper", "options"),
    [
        (payment_created, {}),
        (map_to_nothing, {}),
        (payment_created, {"dry_run": True}),
    ],
    ids=["published", "no event", "dry run"],
)
def test_memory_does_not_grow_with_the_backlog(mapper: Mapper, options: dict[str, Any]) -> None:
    """
    A backlog four times as large takes less than 100 kB more, for the interpreter's free lists and bounded caches. Memory of
    other threads is measured too: it may disturb one run, but not three.
    """

    def peak(count: int) -> int:
        world = RedriveFixture(publisher=DiscardingPublisher(), mappers={"payments": (mapper,)})
        world.dead = GeneratedBacklog(count)
        report, peak = measured(world, **options)
        assert report.messages == count
        return peak

    assert any(peak(400) - peak(100) < 100_000 for _ in range(3))


def test_run_ends_when_too_many_documents_remain(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """It must remember every document with a remaining message. The log says that the rest is for the next run."""
    monkeypatch.setattr(redrive, "WAITING_LIMIT", 300)
    world = RedriveFixture(mappers={"payments": (failing_once_like(payment_created),)}, block=True)
    world.dead = GeneratedBacklog(1000)
    report = world.redrive()
    assert counts(report) == {"messages": 40, "left": 40}
    assert "redrive_full" in [getattr(line, "action", "") for line in caplog.records]


def test_remaining_messages_are_returned_as_far_as_remembered() -> None:
    """The others become visible after their timeout."""
    world = RedriveFixture(mappers={})
    for number in range(30):
        world.add_dead_letter(inserted("a", number), lane=number)
    assert counts(world.redrive()) == {"messages": 30, "left": 30}
    assert len(world.dead.held) == 10


@pytest.mark.parametrize("lanes", [1, 500])
def test_forgotten_position_counts_as_late(lanes: int) -> None:
    """``late`` is never missing from a late event."""
    world = RedriveFixture()
    known = LateChanges(world.watermarks)
    for number in range(1, 1001):
        known.published(message(inserted(f"x{number}", 10 + number), lane=number % lanes))
    outcome = Outcome(queue=dead_letter_queue(world.dead), delivery=Delivery(id="", group="", body="", receipt=""))
    changes = (RedrivenChange(outcome, message(inserted(f"x{number}", 5), lane=number % lanes)) for number in range(1, 1001))
    assert all(map(known.is_late, changes))
