"""What became of a change is decided by the watermark of its lane, and never by silence."""

from datetime import UTC, datetime

import msgspec

from lambda_forwarder.in_memory import MemoryWatermarks
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.model.watermark import Watermark
from tailrace.dev.changes import SeenChange
from tailrace.dev.consumer import Received
from tailrace.dev.outcomes import Outcome, Outcomes
from tailrace.metadata import Metadata
from tailrace.testing import mongodb

GENERATION = 7


def seen(sequence: int, lane: int = 0) -> SeenChange:
    change = msgspec.structs.replace(mongodb("shop.orders").insert({"_id": str(sequence)}), sequence=sequence)
    return SeenChange(stream="orders", generation=GENERATION, group=f"orders.{lane}", change=change, json=b"{}")


def event(sequence: int, generation: int = GENERATION, at: datetime | None = None) -> Received:
    metadata = Metadata(
        id=str(sequence),
        version="1",
        stream="orders",
        generation=generation,
        sequence=sequence,
        document="shop.orders/1",
        operation="insert",
        occurred_at=datetime(2026, 11, 28, tzinfo=UTC),
    )
    return Received(name="OrderPlaced", source="app.shop", metadata=metadata, data={}, at=at or datetime.now(UTC))


class System:
    """The three places that know what became of a change."""

    def __init__(self) -> None:
        self.watermarks = MemoryWatermarks()
        self.events: list[Received] = []
        self.parked: list[Parked] = []
        self.outcomes = Outcomes(
            self.watermarks, self._receive, lambda: [msgspec.json.encode(one).decode() for one in self.parked]
        )

    def reach(self, sequence: int, lane: int = 0) -> None:
        self.watermarks.advance(
            f"orders.{lane}", Watermark(generation=GENERATION, sequence=sequence, cluster_time=f"{sequence}.1")
        )

    def finished(self) -> list[Outcome]:
        return list(self.outcomes.finished())

    def _bodies(self) -> list[str]:
        return [msgspec.json.encode(item).decode() for item in self.parked]

    def _receive(self) -> list[Received]:
        events, self.events = self.events, []
        return events


def test_change_without_an_event_is_reported_when_its_lane_has_passed_it() -> None:
    """Until then it may still get an event. Another lane says nothing of it."""
    system = System()
    system.outcomes.add(seen(1))
    system.reach(5, lane=1)
    assert system.finished() == []
    assert [one.change.sequence for one in system.outcomes.unfinished(-1)] == [1]
    system.reach(1)
    [outcome] = system.finished()
    assert (outcome.change and outcome.change.position, outcome.events, outcome.parked) == ((GENERATION, 1), [], ())
    assert system.finished() == []


def test_event_waits_for_its_change() -> None:
    """An event may arrive before the change is read here."""
    system = System()
    system.events = [event(1)]
    assert system.finished() == []
    system.outcomes.add(seen(1))
    system.reach(1)
    [outcome] = system.finished()
    assert [one.name for one in outcome.events] == ["OrderPlaced"]


def test_parked_change_has_its_reason() -> None:
    """Also if other mappers produced events. Items of other changes, or of an earlier generation, are not its own."""
    system = System()
    own = Parked(id="a", reason="KeyError", remedy="fix", document="d", stream="orders", generation=GENERATION, sequence=1)
    system.parked = [own, msgspec.structs.replace(own, id="b", sequence=2), msgspec.structs.replace(own, id="c", generation=1)]
    system.outcomes.add(seen(1))
    system.events = [event(1)]
    system.reach(1)
    [outcome] = system.finished()
    assert ([one.id for one in outcome.parked], len(outcome.events)) == (["a"], 1)


def test_event_of_a_reported_change_is_reported_alone() -> None:
    """It was published again, by redrive for example. So is, after a while, an event whose change is not read here."""
    system = System()
    system.outcomes.add(seen(2))
    system.reach(2)
    system.finished()
    old = datetime(2026, 11, 28, tzinfo=UTC)
    system.events = [event(1), event(3), event(1, generation=GENERATION + 1, at=old)]
    alone = system.finished()
    assert [outcome.change for outcome in alone] == [None, None]
    assert [outcome.events[0].position for outcome in alone] == [(GENERATION, 1), (GENERATION + 1, 1)]
