"""What a redrive remembers is bounded, whatever the backlog, whatever of it is published or stays."""

from collections.abc import Sequence
from typing import Any

import pytest

from lambda_forwarder.in_memory import MemoryBacklog
from lambda_forwarder.mappings.payments import payment_created
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Published, TimeLeft
from lambda_forwarder.redriving import late_changes, redrive
from lambda_forwarder.redriving.late_changes import LateChanges
from lambda_forwarder.redriving.outcome import Outcome, RedrivenChange
from lambda_forwarder.redriving.queues import dead_letter_queue
from tailrace.change import Change
from tailrace.events import Mapper
from tests.lambda_forwarder.redriving.test_redriver import World, broken, counts, measured
from tests.lambda_forwarder.values import body, inserted, message


class Forgetful:
    """Takes every event and keeps none."""

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        return Published()


class Long(MemoryBacklog):
    """A backlog that makes its messages as they are taken: so many, each of its own lane, with ten documents of its own."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._left = count

    def take(self, count: int, seconds: float) -> Sequence[Delivery]:
        numbers = range(self._left, max(0, self._left - min(count, 10)), -1)
        self._left -= len(numbers)
        return [Delivery(id=f"{n:04}", group=f"{n:04}", body=self._body(n), receipt=f"{n:04}" * 500) for n in numbers]

    def remove(self, waiting: Sequence[Delivery], time_left: TimeLeft) -> None:
        """They are nowhere."""

    def _body(self, number: int) -> str:
        return body(*(inserted(f"{number:04}-{each}", number * 10 + each) for each in range(10)), lane=number)


def silent(change: Change) -> None:
    """Tells nothing."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test reaches."""
    monkeypatch.setattr(late_changes, "KNOWN", 200)
    monkeypatch.setattr(redrive, "RECEIPTS", 20)


@pytest.mark.parametrize(
    ("mapper", "options"),
    [
        (payment_created, {}),
        (silent, {}),
        (payment_created, {"dry_run": True}),
    ],
    ids=["published", "no event", "dry run"],
)
def test_memory_does_not_grow_with_the_backlog(mapper: Mapper, options: dict[str, Any]) -> None:
    """
    Four times the backlog takes less than 100 kB more, which is what the interpreter's free lists and bounded caches take.
    Memory that other threads take meanwhile is measured too: it may disturb a run, not three.
    """

    def peak(count: int) -> int:
        world = World(publisher=Forgetful(), mappers={"payments": (mapper,)})
        world.dead = Long(count)
        report, peak = measured(world, **options)
        assert report.messages == count
        return peak

    assert any(peak(400) - peak(100) < 100_000 for _ in range(3))


def test_a_run_ends_where_more_stays_than_it_can_remember(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It must know every document of which something stays. The rest is for the next run, and the log says so."""
    monkeypatch.setattr(redrive, "WAITING_LIMIT", 300)
    world = World(mappers={"payments": (broken(payment_created),)}, block=True)
    world.dead = Long(1000)
    report = world.redrive()
    assert counts(report) == {"messages": 40, "left": 40}
    assert "redrive_full" in [getattr(line, "action", "") for line in caplog.records]


def test_what_stays_is_given_back_as_far_as_it_is_remembered() -> None:
    """The others come back by themselves, once their time is over."""
    world = World(mappers={})
    for number in range(30):
        world.bury(inserted("a", number), lane=number)
    assert counts(world.redrive()) == {"messages": 30, "left": 30}
    assert len(world.dead.held) == 10


@pytest.mark.parametrize("lanes", [1, 500])
def test_what_is_forgotten_counts_as_late_rather_than_not(lanes: int) -> None:
    """By its lane, then altogether: ``late`` is never missing where it belongs."""
    world = World()
    known = LateChanges(world.watermarks)
    for number in range(1, 1001):
        known.published(message(inserted(f"x{number}", 10 + number), lane=number % lanes))
    outcome = Outcome(queue=dead_letter_queue(world.dead), delivery=Delivery(id="", group="", body="", receipt=""))
    changes = (RedrivenChange(outcome, message(inserted(f"x{number}", 5), lane=number % lanes)) for number in range(1, 1001))
    assert all(map(known.is_late, changes))
