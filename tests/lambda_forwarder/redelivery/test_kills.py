"""A message that ends the function is narrowed down to the one change that causes it; the others are published."""

import errno
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_forwarder.forwarding.reading import read_message
from lambda_forwarder.redelivery.returned_messages import SHARE
from lambda_forwarder.redelivery.suspects import LIMIT
from tailrace.change import Change
from tailrace.events import Mappers
from tailrace.message import ChangeMessage
from tests.lambda_forwarder.redelivery.played import START, TIMEOUT, VISIBILITY, SimulatedQueue, noted, throttled
from tests.lambda_forwarder.values import Noted, body, inserted

pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("no_logs")]

PARKED_AT = LIMIT + 2  # receives: one without suspicion, LIMIT with it, and the one at which it is parked


def crash(simulation: SimulatedQueue) -> None:
    simulation.kill()


def exit_(_: SimulatedQueue) -> None:
    raise SystemExit


def hang(simulation: SimulatedQueue) -> None:
    simulation.sleep(10 * TIMEOUT)


def exhaust_memory(_: SimulatedQueue) -> None:
    raise MemoryError


def exhaust_files(_: SimulatedQueue) -> None:
    raise OSError(errno.EMFILE, "Too many open files")


KINDS: Mapping[str, Callable[[SimulatedQueue], None]] = {
    "crash": crash,
    "exit": exit_,
    "time": hang,
    "memory": exhaust_memory,
    "files": exhaust_files,
}


def simulation(
    *killers: int, kind: Callable[[SimulatedQueue], None] = crash, fault: Callable[[SimulatedQueue], None] = lambda _: None
) -> SimulatedQueue:
    """Return a simulation whose mapper ends the function at the changes with these sequences."""

    def mapper(change: Change) -> Noted:
        if change.sequence in killers:
            kind(world)
        return noted(change)

    mappers: Mappers = {"payments": (mapper,)}
    world = SimulatedQueue(mappers=mappers, fault=fault)
    return world


def changes(start: int, count: int, names: str = "abcdef") -> list[Change]:
    return [inserted(f"{names[number % len(names)]}{start}", number) for number in range(start, start + count)]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("killer", [1, 2, 30, 60])
def test_one_change_is_parked_and_the_others_are_published(kind: Callable[[SimulatedQueue], None], killer: int) -> None:
    """Wherever it is and however it ends the function, within the stated number of receives and half an hour."""
    world = simulation(killer, kind=kind)
    message = world.send(*changes(1, 60))
    behind = world.send(*changes(61, 5))
    world.run()
    assert world.parked == [killer]
    [item] = world.parking.parked.values()
    assert "3 times" in item.reason
    assert b'"changes"' in bytes(item.message)  # unchanged
    assert world.published == [number for number in range(1, 66) if number != killer]
    assert len(world.accepted) == len(world.published)  # no event twice
    world.check_order()
    assert world.dead == []
    assert message.receives <= PARKED_AT
    assert behind.receives <= PARKED_AT
    assert world.now - START < VISIBILITY + PARKED_AT * 2 * TIMEOUT


def test_other_lanes_of_the_batch_continue() -> None:
    """With the first invocation that responds."""
    world = simulation(3)
    bad = world.send(*changes(1, 5), lane=1)
    others = [world.send(*changes(100 * lane, 5), lane=lane) for lane in range(2, 11)]
    late = [world.send(*changes(100 * lane + 50, 5), lane=lane) for lane in range(2, 11)]
    world.run()
    assert world.parked == [3]
    assert world.dead == []
    assert bad.receives <= PARKED_AT + 9  # Each of the others was suspect too, and was tried first.
    assert max(one.receives for one in others + late) <= 2 + 9
    assert [one.id for one in world.finished if one is bad] == [bad.id]
    world.check_order()


def test_suspect_is_tried_despite_fresh_messages() -> None:
    """Another lane is never idle."""
    world = simulation(3)
    bad = world.send(*changes(1, 5), lane=1)
    number = 1_000
    for _ in range(200):
        world.send(inserted("busy", number), lane=2)
        number += 1
        world.run(invocations=10_000, until=world.now + 60)
    assert world.parked == [3]
    assert bad.receives <= 3 * PARKED_AT
    assert world.dead == []


def test_two_fatal_changes_of_one_message_are_parked() -> None:
    world = simulation(2, 4)
    message = world.send(*changes(1, 6))
    world.run()
    assert (world.parked, world.published) == ([2, 4], [1, 3, 5, 6])
    assert len(world.accepted) == 4
    assert message.receives <= PARKED_AT + LIMIT


def test_message_sent_again_is_narrowed_down_without_a_watermark() -> None:
    """It moves no watermark, so only the attempts show its progress."""
    world = simulation(2, 4)
    message = world.send(*changes(1, 6), sent="4d0f1f2e-0d3c-4c0c-9f1a-2b1a8c1d4e5f")
    world.run()
    assert (world.parked, world.published) == ([2, 4], [1, 3, 5, 6])
    assert message.receives <= PARKED_AT + LIMIT


def test_message_that_ends_the_function_when_read_is_parked_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Later messages continue."""
    bad = body(*changes(1, 5))

    def reading(text: str, room: int) -> ChangeMessage:
        if text == bad:
            world.kill()
        return read_message(text, room)

    monkeypatch.setattr("lambda_forwarder.forwarding.forwarder.read_message", reading)
    world = simulation()
    message = world.send(text=bad)
    world.send(*changes(6, 5))
    world.run()
    [item] = world.parking.parked.values()
    assert item.body == bad
    assert message.receives <= PARKED_AT
    assert world.published == [6, 7, 8, 9, 10]


def test_outage_does_not_count_as_an_end_of_the_function() -> None:
    """The bus does not respond for two hours, for messages that ended the function once: nothing is parked."""
    world = simulation(3)
    world.fault = lambda _: crash(world) if world.now < START + 1 else throttled() if world.now < START + 7_200 else None
    for lane in range(4):
        world.send(*changes(100 * lane + 10, 5), lane=lane)
    world.run()
    assert (world.parking.parked, world.dead) == ({}, [])
    assert len(world.published) == 20
    assert world.last_accepted < START + 7_200 * (1 + 2 * SHARE)


def test_fatal_message_becomes_a_dead_letter_without_a_table() -> None:
    """After a week, with all messages that were received with it."""
    world = simulation(3)
    world.watermarks = world.attempts = None
    bad = world.send(*changes(1, 5))
    beside = world.send(*changes(6, 5))
    world.run()
    assert world.dead == [bad, beside]
    assert world.parking.parked == {}
    assert world.now - START > 6.9 * 86_400


@pytest.mark.parametrize("kind", [exhaust_memory, exhaust_files])
def test_temporary_lack_of_a_resource_parks_nothing(kind: Callable[[SimulatedQueue], None]) -> None:
    world = simulation(*range(1, 7), kind=lambda now: kind(now) if now.now < START + 120 else None)
    world.send(*changes(1, 6))
    world.run()
    assert (world.parking.parked, world.published) == ({}, [1, 2, 3, 4, 5, 6])


def test_recursion_error_parks_the_change_at_once() -> None:
    """It is caused by the change. The others of its message are published."""

    def deep(_: SimulatedQueue) -> None:
        raise RecursionError

    world = simulation(2, kind=deep)
    message = world.send(*changes(1, 3))
    world.run()
    assert (world.parked, world.published, message.receives) == ([2], [1, 3], 1)
    [item] = world.parking.parked.values()
    assert item.reason.startswith("RecursionError")


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_exactly_the_fatal_changes_are_parked(data: Any) -> None:
    """
    Fatal changes anywhere in several lanes, with hours of outages: everything else is published in order, and receives are
    bounded.
    """
    sizes = data.draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 12)), min_size=1, max_size=8), label="lane, changes")
    total = sum(count for _, count in sizes)
    killers = data.draw(st.sets(st.integers(1, total), max_size=3), label="killers")
    kind = data.draw(st.sampled_from([crash, hang, exhaust_memory]), label="kind")
    outages = data.draw(st.lists(st.tuples(st.integers(0, 9_000), st.integers(1, 9_000)), max_size=3), label="outages")
    world = simulation(*killers, kind=kind)
    world.fault = lambda now: (
        throttled() if any(begin <= now.now - START < begin + length for begin, length in outages) else None
    )
    start = 1
    for lane, count in sizes:
        world.send(*changes(start, count, names="ab"), lane=lane)
        start += count
    world.run()
    assert world.parked == sorted(killers)
    assert world.published == [number for number in range(1, start) if number not in killers]
    assert world.dead == []
    world.check_order()
    assert max(one.receives for one in world.finished) < 200


@pytest.mark.parametrize("kind", [crash, exit_, hang, exhaust_memory], ids=["crash", "exit", "time", "memory"])
@pytest.mark.parametrize("killer", range(1, 11), ids="lane {}".format)
def test_nine_lanes_continue_after_one_visibility_timeout(kind: Callable[[SimulatedQueue], None], killer: int) -> None:
    """
    Of ten messages of ten lanes in one batch one ends the function. The nine are published when the queue returns the batch
    after its visibility timeout, with at most one more end of the function. The fatal change is parked minutes later.
    """
    world = simulation(100 * killer + 2, kind=kind)
    for lane in range(1, 11):
        world.send(*changes(100 * lane, 5), lane=lane)
    world.run(until=START + VISIBILITY + 2 * TIMEOUT)
    innocent = {100 * lane + number for lane in range(1, 11) for number in range(5) if lane != killer}
    assert innocent <= set(world.published)
    assert {message.group for message in world.messages} <= {f"payments.{killer}"}
    world.run()
    assert world.parked == [100 * killer + 2]
    assert set(world.published) == innocent | {100 * killer + number for number in (0, 1, 3, 4)}
    assert world.now - START < VISIBILITY + PARKED_AT * 2 * TIMEOUT
    assert (world.dead, world.forgotten) == ([], [])
    world.check_order()
