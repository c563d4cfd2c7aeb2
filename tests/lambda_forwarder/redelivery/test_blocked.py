"""A change that ends the function, where poison blocks: its lane waits and nobody else does, and nothing is forgotten."""

from collections.abc import Callable, Sequence

import pytest

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.in_memory import MemoryParking
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.redelivery.attempt_notes import LIMIT
from tailrace.change import Change
from tests.lambda_forwarder.redelivery.played import RETENTION, START, Played
from tests.lambda_forwarder.redelivery.test_kills import KINDS, changes, memory, no_more_files, played
from tests.lambda_forwarder.values import Noted, inserted

pytestmark = pytest.mark.heavy

DAY = 86_400.0  # seconds


def poison(_: Played) -> None:
    raise ValueError


@pytest.mark.parametrize("kind", [poison, *KINDS.values()], ids=["poison", *KINDS])
def test_what_nobody_corrects_is_a_dead_letter_before_the_queue_forgets_it(kind: Callable[[Played], None]) -> None:
    """Whatever it does to the function: nothing behind it is published meanwhile, and what it blocks is kept for redrive."""
    world = played(3, kind=kind)
    world.block = True
    bad, behind = world.send(*changes(1, 5)), world.send(*changes(6, 5))
    world.run()
    assert (world.published, world.parked, world.forgotten) == ([1, 2], [], [])
    assert world.dead == [bad, behind]
    assert 9 * DAY < world.now - START < RETENTION - DAY


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_busy_lane_beside_it_goes_on(kind: Callable[[Played], None]) -> None:
    """It takes the others with it once, before anybody knows; from then on it is tried by itself, for days."""
    world = played(3, kind=kind)
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
def test_a_busy_lane_beside_it_goes_on_while_the_parking_queue_is_away(kind: Callable[[Played], None]) -> None:
    """For a day it cannot be set aside; then it is parked, and what waits behind it is published."""

    class Parking(MemoryParking):
        def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
            if parked and world.now < START + DAY:
                raise Unavailable("the parking queue is away")
            super().park(parked, time_left)

    world = played(3, kind=kind)
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
def test_a_correction_is_noticed(kind: Callable[[Played], None]) -> None:
    """A mapper that is deployed anew after a day: the change is tried again, and everything is published in order."""
    corrected = START + DAY
    world = played(3, kind=lambda now: kind(now) if now.now < corrected else None)
    world.block = True
    world.send(*changes(1, 5, names="a"))
    world.send(*changes(6, 5, names="a"))
    world.run()
    assert (world.published, world.parked, world.dead) == (list(range(1, 11)), [], [])
    assert len(world.accepted) == 10
    world.check_order()
    assert world.last_accepted < corrected + 3_600


@pytest.mark.parametrize("kind", [memory, no_more_files])
def test_without_a_table_a_lack_of_the_machine_is_a_dead_letter_too(kind: Callable[[Played], None]) -> None:
    """After a week, as what ends the function: the queue does not forget it."""
    world = played(3, kind=kind)
    world.watermarks = world.attempts = None
    bad = world.send(*changes(1, 5))
    world.run()
    assert (world.dead, world.forgotten) == ([bad], [])
    assert 6 * DAY < world.now - START < 8 * DAY


def test_it_blocks_as_poison_does_once_it_is_poison() -> None:
    """A change that first ends the function and then, corrected by half, cannot be digested."""

    def mapper(change: Change) -> Noted:
        if change.sequence == 2 and world.now < START + DAY:
            raise MemoryError
        if change.sequence == 2:
            raise ValueError
        return Noted(number=change.sequence)

    world = Played(mappers={"payments": (mapper,)}, block=True)
    bad = world.send(*changes(1, 3))
    world.run()
    assert (world.published, world.dead, world.forgotten) == ([1], [bad], [])
