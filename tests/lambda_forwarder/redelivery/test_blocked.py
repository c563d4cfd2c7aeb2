"""A change that ends the function while poison blocks: only its lane waits, and nothing is lost."""

from collections.abc import Callable, Sequence

import pytest

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.in_memory import MemoryParking
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.redelivery.suspects import LIMIT
from tailrace.change import Change
from tests.lambda_forwarder.redelivery.played import RETENTION, START, SimulatedQueue
from tests.lambda_forwarder.redelivery.test_kills import KINDS, changes, exhaust_files, exhaust_memory, simulation
from tests.lambda_forwarder.values import Noted, inserted

pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("no_logs")]

DAY = 86_400.0  # seconds


def fail(_: SimulatedQueue) -> None:
    raise ValueError


@pytest.mark.parametrize("kind", [fail, *KINDS.values()], ids=["poison", *KINDS])
def test_blocked_message_becomes_a_dead_letter_before_it_expires(kind: Callable[[SimulatedQueue], None]) -> None:
    """Nothing after it is published meanwhile, and everything is kept for redrive."""
    world = simulation(3, kind=kind)
    world.block = True
    bad, behind = world.send(*changes(1, 5)), world.send(*changes(6, 5))
    world.run()
    assert (world.published, world.parked, world.forgotten) == ([1, 2], [], [])
    assert world.dead == [bad, behind]
    assert 9 * DAY < world.now - START < RETENTION - DAY


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_busy_lane_continues_beside_a_blocked_one(kind: Callable[[SimulatedQueue], None]) -> None:
    """It fails with the suspect once. After that the suspect is tried alone, for days."""
    world = simulation(3, kind=kind)
    world.block = True
    world.send(*changes(1, 5), lane=1)
    beside = [world.send(inserted("busy", 1_000), lane=2)]
    for number in range(1_001, 1_200):
        world.run(until=world.now + 600)
        world.now += 600
        beside.append(world.send(inserted("busy", number), lane=2))
    assert beside[-2] in world.finished
    assert max(one.receives for one in beside) <= LIMIT
    assert sum(one.receives for one in beside) <= len(beside) + 2 * LIMIT


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_busy_lane_continues_while_the_parking_queue_is_unavailable(kind: Callable[[SimulatedQueue], None]) -> None:
    """After a day the suspect is parked, and later messages of its lane are published."""

    class Parking(MemoryParking):
        def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
            if parked and world.now < START + DAY:
                raise Unavailable("the parking queue is away")
            super().park(parked, time_left)

    world = simulation(3, kind=kind)
    world.parking = Parking()
    world.send(*changes(1, 5), lane=1)
    beside = [world.send(inserted("busy", 1_000), lane=2)]
    for number in range(1_001, 1_200):
        world.run(until=world.now + 600)
        world.now += 600
        beside.append(world.send(inserted("busy", number), lane=2))
    world.run()
    assert (world.parked, world.dead, world.published[:4]) == ([3], [], [1, 2, 4, 5])
    assert sum(one.receives for one in beside) <= len(beside) + 2 * LIMIT


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_corrected_change_is_published_in_order(kind: Callable[[SimulatedQueue], None]) -> None:
    """The mapper is fixed after a day."""
    corrected = START + DAY
    world = simulation(3, kind=lambda now: kind(now) if now.now < corrected else None)
    world.block = True
    world.send(*changes(1, 5, names="a"))
    world.send(*changes(6, 5, names="a"))
    world.run()
    assert (world.published, world.parked, world.dead) == (list(range(1, 11)), [], [])
    assert len(world.accepted) == 10
    world.check_order()
    assert world.last_accepted < corrected + 3_600


@pytest.mark.parametrize("kind", [exhaust_memory, exhaust_files])
def test_exhausted_resource_becomes_a_dead_letter_without_a_table(kind: Callable[[SimulatedQueue], None]) -> None:
    """After a week, like a change that ends the function."""
    world = simulation(3, kind=kind)
    world.watermarks = world.attempts = None
    bad = world.send(*changes(1, 5))
    world.run()
    assert (world.dead, world.forgotten) == ([bad], [])
    assert 6 * DAY < world.now - START < 8 * DAY


def test_change_that_becomes_poison_blocks_like_poison() -> None:
    """It first ends the function, and after a partial fix fails its mapper."""

    def mapper(change: Change) -> Noted:
        if change.sequence == 2 and world.now < START + DAY:
            raise MemoryError
        if change.sequence == 2:
            raise ValueError
        return Noted(number=change.sequence)

    world = SimulatedQueue(mappers={"payments": (mapper,)}, block=True)
    bad = world.send(*changes(1, 3))
    world.run()
    assert (world.published, world.dead, world.forgotten) == ([1], [bad], [])
