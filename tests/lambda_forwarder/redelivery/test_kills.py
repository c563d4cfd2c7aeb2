"""A message that ends the function is narrowed down to the one change that does it; the others are published."""

import errno
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_forwarder.forwarding.reading import read_message
from lambda_forwarder.redelivery.attempt_notes import LIMIT
from lambda_forwarder.redelivery.pause import SHARE
from tailrace.change import Change
from tailrace.events import Mappers
from tailrace.message import ChangeMessage
from tests.lambda_forwarder.redelivery.played import START, TIMEOUT, VISIBILITY, Played, noted, throttled
from tests.lambda_forwarder.values import Noted, body, inserted

PARKED_AT = LIMIT + 2  # receives: one without suspicion, LIMIT with it, and the one at which it is parked


def crash(played: Played) -> None:
    played.kill()


def exit_(_: Played) -> None:
    raise SystemExit


def never_ends(played: Played) -> None:
    played.sleep(10 * TIMEOUT)


def memory(_: Played) -> None:
    raise MemoryError


def no_more_files(_: Played) -> None:
    raise OSError(errno.EMFILE, "Too many open files")


KINDS: Mapping[str, Callable[[Played], None]] = {
    "crash": crash,
    "exit": exit_,
    "time": never_ends,
    "memory": memory,
    "files": no_more_files,
}


def played(*killers: int, kind: Callable[[Played], None] = crash, fault: Callable[[Played], None] = lambda _: None) -> Played:
    """A world in which the mapper ends the function at the changes with these numbers."""

    def mapper(change: Change) -> Noted:
        if change.sequence in killers:
            kind(world)
        return noted(change)

    mappers: Mappers = {"payments": (mapper,)}
    world = Played(mappers=mappers, fault=fault)
    return world


def changes(start: int, count: int, names: str = "abcdef") -> list[Change]:
    return [inserted(f"{names[number % len(names)]}{start}", number) for number in range(start, start + count)]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("killer", [1, 2, 30, 60])
def test_one_change_is_parked_and_the_others_are_published(kind: Callable[[Played], None], killer: int) -> None:
    """Wherever it stands and however it ends the function; within the stated receives, and so within half an hour."""
    world = played(killer, kind=kind)
    message = world.send(*changes(1, 60))
    behind = world.send(*changes(61, 5))
    world.run()
    assert world.parked == [killer]
    [item] = world.parking.parked.values()
    assert "3 times" in item.reason
    assert b'"changes"' in bytes(item.message)  # as it came
    assert world.published == [number for number in range(1, 66) if number != killer]
    assert len(world.accepted) == len(world.published)  # none twice
    world.check_order()
    assert world.dead == []
    assert message.receives <= PARKED_AT
    assert behind.receives <= PARKED_AT
    assert world.now - START < VISIBILITY + PARKED_AT * 2 * TIMEOUT


def test_others_of_its_batch_are_not_held_back() -> None:
    """Nine other lanes with it in each batch, and messages behind them: they go on with the first invocation that answers."""
    world = played(3)
    bad = world.send(*changes(1, 5), lane=1)
    others = [world.send(*changes(100 * lane, 5), lane=lane) for lane in range(2, 11)]
    late = [world.send(*changes(100 * lane + 50, 5), lane=lane) for lane in range(2, 11)]
    world.run()
    assert world.parked == [3]
    assert world.dead == []
    assert bad.receives <= PARKED_AT + 9  # each of the others was suspect too, and came first
    assert max(one.receives for one in others + late) <= 2 + 9
    assert [one.id for one in world.finished if one is bad] == [bad.id]
    world.check_order()


def test_fresh_messages_keep_a_suspect_waiting_only_for_a_while() -> None:
    """A lane that is never quiet beside it: the suspect has its turn all the same."""
    world = played(3)
    bad = world.send(*changes(1, 5), lane=1)
    number = 1_000
    for _ in range(200):
        world.send(inserted("busy", number), lane=2)
        number += 1
        world.run(invocations=10_000, until=world.now + 60)
    assert world.parked == [3]
    assert bad.receives <= 3 * PARKED_AT
    assert world.dead == []


def test_two_killers_in_one_message() -> None:
    """Each is parked in its turn."""
    world = played(2, 4)
    message = world.send(*changes(1, 6))
    world.run()
    assert (world.parked, world.published) == ([2, 4], [1, 3, 5, 6])
    assert len(world.accepted) == 4
    assert message.receives <= PARKED_AT + LIMIT


def test_what_somebody_sent_again_is_narrowed_down_without_a_watermark() -> None:
    """A message under another deduplication id moves no watermark: the notes alone know what of it is done."""
    world = played(2, 4)
    message = world.send(*changes(1, 6), sent="4d0f1f2e-0d3c-4c0c-9f1a-2b1a8c1d4e5f")
    world.run()
    assert (world.parked, world.published) == ([2, 4], [1, 3, 5, 6])
    assert message.receives <= PARKED_AT + LIMIT


def test_a_message_that_ends_the_function_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is parked whole, as it came; what is behind it goes on."""
    bad = body(*changes(1, 5))

    def reading(text: str, room: int) -> ChangeMessage:
        if text == bad:
            world.kill()
        return read_message(text, room)

    monkeypatch.setattr("lambda_forwarder.forwarding.forwarder.read_message", reading)
    world = played()
    message = world.send(text=bad)
    world.send(*changes(6, 5))
    world.run()
    [item] = world.parking.parked.values()
    assert item.body == bad
    assert message.receives <= PARKED_AT
    assert world.published == [6, 7, 8, 9, 10]


def test_an_outage_is_no_end_of_the_function() -> None:
    """Two hours in which the bus does not answer, about messages that ended the function once before: nothing is parked."""
    world = played(3)
    world.fault = lambda _: crash(world) if world.now < START + 1 else throttled() if world.now < START + 7_200 else None
    for lane in range(4):
        world.send(*changes(100 * lane + 10, 5), lane=lane)
    world.run()
    assert (world.parking.parked, world.dead) == ({}, [])
    assert len(world.published) == 20
    assert world.last_accepted < START + 7_200 * (1 + 2 * SHARE)


def test_without_a_table_it_comes_again_until_the_queue_gives_it_up() -> None:
    """Off is off: nobody can tell. The lane waits for a week; then all that was received with it is a dead letter."""
    world = played(3)
    world.watermarks = world.attempts = None
    bad = world.send(*changes(1, 5))
    beside = world.send(*changes(6, 5))
    world.run()
    assert world.dead == [bad, beside]
    assert world.parking.parked == {}
    assert world.now - START > 6.9 * 86_400


@pytest.mark.parametrize("kind", [memory, no_more_files])
def test_a_lack_that_passes_parks_nothing(kind: Callable[[Played], None]) -> None:
    """The machine has too little of something for two minutes, whatever it works on."""
    world = played(*range(1, 7), kind=lambda now: kind(now) if now.now < START + 120 else None)
    world.send(*changes(1, 6))
    world.run()
    assert (world.parking.parked, world.published) == ({}, [1, 2, 3, 4, 5, 6])


def test_a_recursion_error_is_the_changes_own() -> None:
    """It says nothing of the machine: parked at once, with the others of its message published."""

    def deep(_: Played) -> None:
        raise RecursionError

    world = played(2, kind=deep)
    message = world.send(*changes(1, 3))
    world.run()
    assert (world.parked, world.published, message.receives) == ([2], [1, 3], 1)
    [item] = world.parking.parked.values()
    assert item.reason.startswith("RecursionError")


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_whatever_ends_it_and_whatever_is_away(data: Any) -> None:
    """
    Killers anywhere in messages of several lanes, and hours without the bus before, between and after: exactly the killers are
    parked, everything else is published in order, and no message is received without bound.
    """
    sizes = data.draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 12)), min_size=1, max_size=8), label="lane, changes")
    total = sum(count for _, count in sizes)
    killers = data.draw(st.sets(st.integers(1, total), max_size=3), label="killers")
    kind = data.draw(st.sampled_from([crash, never_ends, memory]), label="kind")
    outages = data.draw(st.lists(st.tuples(st.integers(0, 9_000), st.integers(1, 9_000)), max_size=3), label="outages")
    world = played(*killers, kind=kind)
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


@pytest.mark.parametrize("kind", [crash, exit_, never_ends, memory], ids=["crash", "exit", "time", "memory"])
@pytest.mark.parametrize("killer", range(1, 11), ids="lane {}".format)
def test_nine_lanes_go_on_within_a_visibility_timeout_of_the_first_attempt(kind: Callable[[Played], None], killer: int) -> None:
    """
    Ten messages of ten lanes in one batch, one of which ends the function, wherever it stands in it. The nine are published
    when the queue hands the batch out again, which it does once its visibility timeout is over and no sooner, beside at most
    one more end of the function (here one invocation waits for the other). The one change is parked minutes later.
    """
    world = played(100 * killer + 2, kind=kind)
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
