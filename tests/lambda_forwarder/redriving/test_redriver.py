"""Redrive's loop: what is published again, in which order, what is marked late, and what remains with which reason."""

import logging
import tracemalloc
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from itertools import count
from typing import Any

import msgspec
import pytest

from examples.payments.events import MAPPERS
from lambda_forwarder.errors import Misconfigured, Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.forwarding.reading import read_message
from lambda_forwarder.in_memory import MemoryBacklog, MemoryClaims, MemoryParking, MemoryPublisher, MemoryWatermarks
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked, ended, unreadable
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.parking.sqs import body as parked_body
from lambda_forwarder.ports import Published, TimeLeft
from lambda_forwarder.redriving.queues import Content, dead_letter_queue, parking_queue
from lambda_forwarder.redriving.reader import Options
from lambda_forwarder.redriving.redriver import Redriver
from lambda_forwarder.redriving.report import Report
from tailrace.change import Change
from tailrace.events import Mapper
from tailrace.wire.message import UnreadableMessage
from tests.lambda_forwarder.parking.test_sqs import noise
from tests.lambda_forwarder.publishing.test_strict_order import blocking_forwarder
from tests.lambda_forwarder.test_crashes import Killed, KillSwitch
from tests.lambda_forwarder.values import HOSTILE, body, cancelled, claiming, delivery, forever, inserted, message

ENDED = UnreadableMessage("the function ended 3 times while it read this message")


class FlakyPublisher(MemoryPublisher):
    """Fails for the documents in ``down``."""

    down: Sequence[str] = ()

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        if any(entry.document.endswith(f"/{name}") for entry in entries for name in self.down):
            raise Unavailable("the bus is away")
        return super().publish(entries, time_left)


class RedriveFixture:
    """A forwarder, and the queues of its parked items and dead letters."""

    def __init__(self, **parts: Any) -> None:
        self.publisher = FlakyPublisher()
        self.parking = MemoryParking()
        self.parked = MemoryBacklog()
        self.dead = MemoryBacklog()
        self.watermarks = MemoryWatermarks()
        self._ids = count(1)
        given = {"mappers": MAPPERS, "publisher": self.publisher, "parking": self.parking, "watermarks": self.watermarks}
        self.forwarder = Forwarder(**{**given, **parts})

    def park(self, *changes: Change, mappers: Any = None, table: str = "", generation: int = 1) -> None:
        """Park what a forwarder parks of these changes, one queue message each, in the group of its document."""
        parking = MemoryParking()
        mappers = mappers or {
            name: [failing_once_like(mapper) for mapper in some][:1] for name, some in self.forwarder.mappers.items()
        }
        forwarder = Forwarder(mappers=mappers, table=table, publisher=MemoryPublisher(), parking=parking)
        forwarder.forward([delivery(body(*changes, generation=generation))], forever)
        for item in parking.parked.values():
            self.put_parked(item)

    def put_parked(self, item: Parked) -> None:
        text = parked_body(item).decode()
        self.parked.waiting.append(Delivery(id=f"p{next(self._ids)}", group=item.document, body=text, receipt=""))

    def add_dead_letter(self, *changes: Change, text: str | None = None, lane: int = 17, generation: int = 1) -> None:
        """Add a dead letter as the tailer sent it."""
        text = body(*changes, lane=lane, generation=generation) if text is None else text
        self.dead.waiting.append(Delivery(id=f"d{next(self._ids)}", group=f"payments.{lane}", body=text, receipt=""))

    def mark(self, sequence: int, lane: int = 17) -> None:
        self.watermarks.marks[f"payments.{lane}"] = Watermark(generation=1, sequence=sequence, cluster_time="1795334400.1")

    def redrive(self, time_left: TimeLeft = forever, **options: Any) -> Report:
        queues = [parking_queue(self.parked), dead_letter_queue(self.dead)]
        return Redriver(forwarder=self.forwarder, queues=queues).redrive(time_left, Options(**options))

    @property
    def published(self) -> list[tuple[str, int, bool]]:
        """Return document, sequence and late."""
        told = [(entry, msgspec.json.decode(entry.detail)["metadata"]) for entry in self.publisher.entries]
        return [(entry.document[-1], entry.change.sequence, metadata.get("late", False)) for entry, metadata in told]

    @property
    def remaining(self) -> list[str]:
        return [one.id for one in (*self.parked.waiting, *self.dead.waiting)]


def failing_once_like(mapper: Mapper) -> Mapper:
    """Return a mapper with the same name that fails."""

    @wraps(mapper)
    def failing(change: Change) -> None:
        raise ZeroDivisionError

    return failing


def counts(report: Report) -> dict[str, int]:
    return {name: number for name, number in report.counts.items() if number}


def measured(world: RedriveFixture, **options: Any) -> tuple[Report, int]:
    """Return a redrive's report and its peak memory in bytes."""
    tracemalloc.start()
    try:
        report = world.redrive(**options)
        return report, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_parked_items_and_dead_letters_are_published_and_removed() -> None:
    """With the ids that their events would have had."""
    world = RedriveFixture()
    world.mark(1)
    world.park(inserted("a", 1))
    world.add_dead_letter(inserted("b", 2), cancelled("b", 3))
    assert counts(world.redrive()) == {"messages": 2, "published": 3}
    assert world.published == [("a", 1, False), ("b", 2, False), ("b", 3, False)]
    assert world.remaining == []
    straight = RedriveFixture()
    straight.forwarder.forward([delivery(body(inserted("a", 1), inserted("b", 2), cancelled("b", 3)))], forever)
    assert straight.publisher.entries == world.publisher.entries


def test_document_keeps_its_order_across_both_queues() -> None:
    world = RedriveFixture()
    world.park(cancelled("a", 2), cancelled("b", 5))
    world.add_dead_letter(inserted("a", 1), inserted("b", 3), lane=17)
    world.add_dead_letter(cancelled("a", 4), cancelled("b", 6), lane=17)
    world.add_dead_letter(inserted("c", 1), lane=18)
    world.redrive()
    for name, sequences in (("a", [1, 2, 4]), ("b", [3, 5, 6]), ("c", [1])):
        assert [sequence for document, sequence, _ in world.published if document == name] == sequences


def test_many_messages_are_taken_in_rounds() -> None:
    """A queue returns ten, and a group returns none while one of its messages is held."""
    world = RedriveFixture()
    for sequence in range(1, 36):
        world.add_dead_letter(inserted("a", sequence))
    assert counts(world.redrive()) == {"messages": 35, "published": 35}
    assert [sequence for _, sequence, _ in world.published] == list(range(1, 36))


def test_event_below_its_lanes_watermark_is_late() -> None:
    """A newer event was published. The watermark does not move."""
    world = RedriveFixture()
    world.mark(5)
    world.add_dead_letter(inserted("a", 4), inserted("b", 5), inserted("c", 6))
    world.add_dead_letter(inserted("d", 1), lane=18)  # Nothing of this lane was ever published.
    assert counts(world.redrive()) == {"messages": 2, "published": 4, "late": 1}
    assert sorted(world.published) == [("a", 4, True), ("b", 5, False), ("c", 6, False), ("d", 1, False)]
    assert world.watermarks.marks["payments.17"].sequence == 5


def test_event_overtaken_by_redrive_itself_is_late() -> None:
    """It was not available when the newer one was published."""
    world = RedriveFixture()
    for sequence in (7, 2):
        world.add_dead_letter(inserted("a", sequence), lane=sequence)
    world.redrive(limit=1)
    assert world.published == [("a", 7, False)]
    world = RedriveFixture()
    world.add_dead_letter(inserted("a", 7), generation=2)
    for number in range(9):
        world.add_dead_letter(inserted(f"x{number}", 1))
    world.add_dead_letter(inserted("a", 2), generation=1)
    world.redrive()
    assert [(sequence, late) for document, sequence, late in world.published if document == "a"] == [(7, False), (2, True)]


def test_every_event_is_late_without_watermarks() -> None:
    """Consumers have to compare."""
    world = RedriveFixture(watermarks=None)
    world.park(inserted("a", 1))
    assert counts(world.redrive()) == {"messages": 1, "published": 1, "late": 1}
    assert world.published == [("a", 1, True)]


def test_parked_event_without_a_watermark_is_late() -> None:
    """A dead letter without one is not: nothing of its lane was published."""
    world = RedriveFixture()
    world.park(inserted("a", 1))
    world.add_dead_letter(inserted("b", 2))
    world.redrive()
    assert world.published == [("a", 1, True), ("b", 2, False)]


def test_late_is_only_in_the_metadata() -> None:
    """The event is otherwise the same."""
    world, straight = RedriveFixture(watermarks=None), RedriveFixture()
    world.park(inserted("a", 1))
    world.redrive()
    straight.forwarder.forward([delivery(body(inserted("a", 1)))], forever)
    late, punctual = (msgspec.json.decode(each.publisher.entries[0].detail) for each in (world, straight))
    assert late["metadata"].pop("late") is True
    assert late == punctual


def test_item_that_is_still_poison_stays_parked_with_its_reason() -> None:
    """It is tried once per run. Later messages of its document wait, and other documents continue."""
    tried = []

    def mapper(change: Change) -> None:
        tried.append(change.sequence)
        if change.sequence == 1:
            raise ValueError("still broken")

    world = RedriveFixture(mappers={"payments": (mapper,)})
    world.park(inserted("a", 1), cancelled("a", 2), inserted("b", 3))
    report = world.redrive()
    assert counts(report) == {"messages": 3, "unpublished": 1, "left": 2}
    assert tried == [1, 3]
    left, behind = report.leftovers
    assert "earlier" in behind.reason
    assert (left.queue, left.document[-1], left.sequence, left.reason) == ("parking", "a", 1, "ValueError: still broken")
    assert world.remaining == ["p1", "p2"]
    assert world.parked.held == {}  # returned for a person or the next run
    assert world.parking.parked == {}


def test_change_of_a_parked_message_waits_for_a_refused_one_of_its_document() -> None:
    """The message stays in the queue, so its later change is not published before the change that the bus refused."""
    world = RedriveFixture()
    world.publisher.limit = 1_000
    text = body(inserted("a", 1), inserted("a", 2, subscriptionId="s" * 1_000), inserted("a", 3))
    world.put_parked(unreadable(delivery(text), ENDED))
    assert world.redrive().left == 1
    assert [sequence for _, sequence, _ in world.published] == [1]


def test_later_messages_of_a_document_wait_in_a_standard_queue() -> None:
    """There the messages of a document are taken together."""
    world = RedriveFixture()
    world.park(inserted("a", 1, subscriptionId=7), cancelled("a", 2))
    world.parked.waiting = [msgspec.structs.replace(one, group=one.id) for one in world.parked.waiting]
    report = world.redrive()
    assert [(left.sequence, "earlier" in left.reason) for left in report.leftovers] == [(1, False), (2, True)]
    assert world.published == []


def test_poison_change_of_a_dead_letter_is_parked() -> None:
    """The rest of its message is published, and the message is removed."""
    world = RedriveFixture()
    world.add_dead_letter(inserted("a", 1), inserted("b", 2, subscriptionId=7), inserted("c", 3))
    world.add_dead_letter(text="not ours")
    assert counts(world.redrive()) == {"messages": 2, "published": 2, "parked": 2, "unpublished": 2}
    assert sorted(item.sequence for item in world.parking.parked.values()) == [0, 2]
    assert world.remaining == []


@pytest.mark.parametrize("item", [ended(inserted("a", 1), message(inserted("a", 1)), 3), unreadable(delivery("x"), ENDED, 3)])
def test_item_that_ended_the_function_remains_unless_requested(item: Parked) -> None:
    """Redrive would otherwise publish the items before it again and again, and never those after it."""
    world = RedriveFixture()
    world.put_parked(item)
    world.park(inserted("b", 2))
    report = world.redrive()
    assert (world.published, world.remaining) == ([("b", 2, True)], ["p1"])
    assert "ended 3 times" in report.leftovers[0].reason
    Redriver(forwarder=world.forwarder, queues=[parking_queue(world.parked, ended=True)]).redrive(forever)
    assert (len(world.published) == 2) == bool(item.change_id)


def test_dead_letter_remains_when_poison_blocks() -> None:
    """Changes before the poison are published."""
    world = RedriveFixture()
    world.forwarder = replace(blocking_forwarder(world.publisher, parking=world.parking), watermarks=world.watermarks)
    world.add_dead_letter(inserted("a", 1), inserted("b", 2, subscriptionId=7), inserted("c", 3))
    report = world.redrive()
    assert counts(report) == {"messages": 1, "left": 1}
    assert "subscriptionId" in report.leftovers[0].reason
    assert [sequence for _, sequence, _ in world.published] == [1]
    assert world.parking.parked == {}


def test_message_that_has_become_readable_is_published() -> None:
    """A newer forwarder reads it. Others remain."""
    world = RedriveFixture()
    readable = body(inserted("a", 1)).replace('"version":1', '"version":2')
    for text in (readable, "not ours"):
        parking = MemoryParking()
        Forwarder(mappers=MAPPERS, publisher=MemoryPublisher(), parking=parking).forward([delivery(text)], forever)
        [item] = parking.parked.values()
        world.put_parked(msgspec.structs.replace(item, body=text.replace('"version":2', '"version":1')))
    world.parked.waiting = [msgspec.structs.replace(one, group=one.id) for one in world.parked.waiting]
    report = world.redrive()
    assert counts(report) == {"messages": 2, "published": 1, "late": 1, "left": 1}
    assert "not a change message" in report.leftovers[0].reason


@pytest.mark.parametrize(
    "text", ["", "hello", "{}", '{"id": 7}', "[" * 100_000, '{"bodyGzip": "!"}'], ids=lambda text: text[:9]
)
def test_foreign_message_in_the_parking_queue_remains(text: str) -> None:
    world = RedriveFixture()
    world.parked.waiting.append(Delivery(id="x", group="g", body=text, receipt=""))
    report = world.redrive()
    assert counts(report) == {"messages": 1, "left": 1}
    assert report.leftovers[0].reason
    assert world.remaining == ["x"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_dead_letter_is_parked_and_others_are_published(text: str) -> None:
    world = RedriveFixture()
    world.add_dead_letter(inserted("a", 1), lane=16)
    world.add_dead_letter(text=text, lane=17)
    world.add_dead_letter(inserted("b", 3), lane=18)
    assert counts(world.redrive()) == {"messages": 3, "published": 2, "parked": 1, "unpublished": 1}
    assert [item.body for item in world.parking.parked.values()] == [text]
    assert world.remaining == []


def test_message_that_fails_with_an_unknown_error_remains(caplog: pytest.LogCaptureFixture) -> None:
    """With the reason. The log has the traceback, and the others are published."""

    def read(text: str) -> Content:
        if text == "unheard of":
            raise RuntimeError("boom")
        return Content(read_message(text))

    world = RedriveFixture()
    world.add_dead_letter(inserted("a", 1), lane=16)
    world.add_dead_letter(text="unheard of", lane=17)
    world.add_dead_letter(inserted("b", 3), lane=18)
    shelf = replace(dead_letter_queue(world.dead), read=read)
    report = Redriver(forwarder=world.forwarder, queues=[shelf]).redrive(forever)
    assert counts(report) == {"messages": 3, "published": 2, "left": 1}
    assert [(left.message_id, left.reason) for left in report.leftovers] == [("d2", "RuntimeError: boom")]
    assert (world.remaining, world.dead.held) == (["d2"], {})
    [line] = [line for line in caplog.records if line.exc_info]
    assert (line.__dict__["action"], line.__dict__["message_id"]) == ("not_redriven", "d2")


def test_lane_with_an_illegal_name_has_no_watermark() -> None:
    """The table would refuse such a key, and the read of every other lane with it."""

    class Table(MemoryWatermarks):
        def read(self, lanes: Collection[str], time_left: TimeLeft) -> Mapping[str, Watermark]:
            if any(len(lane.encode()) > 128 for lane in lanes):
                raise Misconfigured("ValidationException: One or more parameter values were invalid")
            return super().read(lanes, time_left)

    world = RedriveFixture(watermarks=Table())
    world.add_dead_letter(text=body(inserted("a", 1)).replace('"stream":"payments"', f'"stream":"{"x" * 250}"'), lane=16)
    world.add_dead_letter(inserted("b", 2))
    assert counts(world.redrive()) == {"messages": 2, "published": 2}


def test_memory_of_a_run_does_not_grow_with_message_size() -> None:
    """Neither for removed nor for remaining messages."""
    count, size = 200, 50_000

    class Long(MemoryBacklog):
        """Makes its messages as they are taken."""

        made = 0

        def take(self, room: int, seconds: float) -> Sequence[Delivery]:
            numbers = range(self.made + 1, min(self.made + 10, count) + 1)
            self.made += len(numbers)
            texts = (body(inserted(f"x{number}", number, text=noise(size)), lane=number) for number in numbers)
            return [Delivery(id="", group="", body=text, receipt="") for text in texts]

    def mapper(change: Change) -> None:
        if change.sequence % 2:
            raise ValueError("boom")

    world = RedriveFixture(mappers={"payments": (mapper,)}, block=True)
    world.dead = Long()
    report, peak = measured(world)
    assert counts(report) == {"messages": count, "unpublished": count // 2, "left": count // 2}
    assert peak < count * size / 4


def test_messages_that_do_not_fit_into_memory_are_taken_apart() -> None:
    """Ten messages of a few kilobytes may unpack to gigabytes: the rest is returned and taken again."""
    published: list[int] = []

    class Forgetful:
        """Keeps no document."""

        def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
            published.extend(entry.change.sequence for entry in entries)
            return Published()

    world = RedriveFixture(publisher=Forgetful(), room=8 * 2_000_000)
    lists: list[list[int]] = [[] for _ in range(20_000)]
    for number in range(1, 11):
        world.add_dead_letter(inserted("a", number, lists=lists), lane=number)
    world.park(inserted("b", 11), inserted("b", 12))
    report, peak = measured(world)
    assert counts(report) == {"messages": 12, "published": 12, "late": 2}
    assert [sequence for sequence in published if sequence < 11] == list(range(1, 11))
    assert (world.remaining, world.dead.held) == ([], {})
    assert peak < 6_000_000  # a few of them; all ten take 13


def test_limit_counts_only_processed_messages() -> None:
    """Not those that were returned for lack of memory."""
    world = RedriveFixture(room=1)
    for number in range(1, 8):
        world.add_dead_letter(inserted("a", number), lane=number)
    assert counts(world.redrive(limit=5)) == {"messages": 5, "published": 5}
    assert counts(world.redrive(dry_run=True)) == {"messages": 2, "published": 2}
    assert len(world.remaining) == 2


def test_item_with_an_omitted_change_remains_with_the_reason() -> None:
    """It only has coordinates."""
    world = RedriveFixture()
    world.park(inserted("a", 1))
    item = msgspec.json.decode(world.parked.waiting.pop().body, type=Parked)
    world.put_parked(
        msgspec.structs.replace(item, message=msgspec.Raw(b"null"), omitted="the change: 2000000 bytes do not fit")
    )
    assert "do not fit" in world.redrive().leftovers[0].reason


def test_claimed_change_is_fetched() -> None:
    """A change with a missing object remains, or is parked like other poison."""
    claimed, content = claiming(inserted("a", 1))
    gone, _ = claiming(inserted("b", 2), key="gone")
    world = RedriveFixture(claims=MemoryClaims(objects={"payments/1.json": content}))
    world.add_dead_letter(claimed, gone, inserted("c", 3))
    assert counts(world.redrive()) == {"messages": 1, "published": 2, "parked": 1, "unpublished": 1}


def test_outage_leaves_only_affected_messages(caplog: pytest.LogCaptureFixture) -> None:
    """A message is removed when all of it was accepted. The report has the reasons."""
    caplog.set_level(logging.INFO)
    world = RedriveFixture()
    world.publisher.down = ["b"]
    world.park(inserted("e", 6))  # Its lane waits as a whole, since events may be ordered across documents.
    world.add_dead_letter(inserted("a", 1), inserted("b", 2))
    world.add_dead_letter(inserted("b", 3), inserted("c", 4), lane=18)
    world.add_dead_letter(inserted("d", 5), lane=19)
    report = world.redrive()
    assert world.remaining == ["p1", "d2", "d3"]
    behind = "it waits for an earlier change of its document or its lane"
    assert [left.reason for left in report.leftovers] == [behind, "Unavailable: the bus is away", behind]
    assert [name for name, _, _ in world.published] == ["c", "d"]
    world.publisher.down = []
    assert counts(world.redrive())["messages"] == 3
    assert {name for name, _, _ in world.published} == set("abcde")
    assert world.remaining == []


def test_run_stops_when_the_time_is_up() -> None:
    """Remaining messages are returned."""
    world = RedriveFixture()
    for number in range(3):
        world.add_dead_letter(inserted(f"x{number}", number + 1), lane=number)
    left = iter([9.0, 9.0, 9.0])
    report = world.redrive(lambda: next(left, 0.0))
    assert report.left == 3 - report.published
    assert len(world.remaining) == report.left
    assert world.dead.held == {}
    assert counts(world.redrive(lambda: 0.0)) == {}


def test_limit_of_messages_is_kept() -> None:
    world = RedriveFixture()
    for number in range(30):
        world.add_dead_letter(inserted(f"x{number}", number + 1), lane=number)
    assert counts(world.redrive(limit=12)) == {"messages": 12, "published": 12}
    assert len(world.remaining) == 18


def test_dry_run_changes_nothing() -> None:
    world = RedriveFixture()
    world.mark(9)
    world.park(inserted("a", 1), inserted("b", 2, subscriptionId=7))
    world.add_dead_letter(inserted("c", 3, subscriptionId=7), inserted("d", 4))
    world.add_dead_letter(text="not ours", lane=18)
    before = world.remaining
    report = world.redrive(dry_run=True)
    assert counts(report) == {"messages": 4, "published": 2, "late": 2, "parked": 2, "unpublished": 2, "left": 1}
    assert report.dry_run
    assert (world.remaining, world.published, world.parking.parked) == (before, [], {})
    assert (world.parked.held, world.dead.held) == ({}, {})


def test_failing_queue_keeps_its_messages() -> None:
    """Published events are repeated with the same ids."""

    class Broken(MemoryBacklog):
        def remove(self, waiting: Sequence[Delivery], time_left: TimeLeft) -> None:
            raise Unavailable("the queue is away")

    world = RedriveFixture()
    world.dead = Broken()
    world.add_dead_letter(inserted("a", 1))
    with pytest.raises(Unavailable):
        world.redrive()
    assert world.dead.held == {}
    assert world.remaining == ["d1"]
    world.dead = MemoryBacklog(waiting=world.dead.waiting)
    assert counts(world.redrive()) == {"messages": 1, "published": 1}
    first, again = world.publisher.entries
    assert first.id == again.id


def test_unreadable_queue_returns_the_messages_of_the_other() -> None:
    class Broken(MemoryBacklog):
        def take(self, count: int, seconds: float) -> Sequence[Delivery]:
            raise Unavailable("the queue is away")

    world = RedriveFixture()
    world.park(inserted("a", 1))
    world.dead = Broken()
    with pytest.raises(Unavailable):
        world.redrive()
    assert (world.parked.held, world.remaining) == ({}, ["p1"])


def test_run_killed_at_any_step_completes_when_repeated() -> None:
    """A repeat has the same id, and nothing is missing."""
    for kill_at in count(1):
        steps, world = KillSwitch(kill_at), RedriveFixture()
        world.park(inserted("a", 1), inserted("b", 2, subscriptionId=7))
        world.add_dead_letter(inserted("c", 3), inserted("d", 4, subscriptionId=7))
        world.add_dead_letter(cancelled("c", 5))
        queues = [parking_queue(steps.around(world.parked)), dead_letter_queue(steps.around(world.dead))]
        parts = {"publisher": steps.around(world.publisher), "parking": steps.around(world.parking)}
        try:
            Redriver(forwarder=replace(world.forwarder, **parts), queues=queues).redrive(forever)
        except Killed:
            world.parked.held.clear()  # their visibility timeout is over
            world.dead.held.clear()
            world.redrive()
            assert {(name, sequence) for name, sequence, _ in world.published} == {("a", 1), ("c", 3), ("c", 5)}
            assert world.remaining == ["p2"]
            assert [item.sequence for item in world.parking.parked.values()] == [4]
            continue
        assert kill_at > 10
        return


def test_log_has_only_numbers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = RedriveFixture()
    world.park(inserted("secret", 1, subscriptionId=7))
    world.redrive()
    [line] = [line for line in caplog.records if line.__dict__.get("action") == "redriven"]
    assert (line.__dict__["messages"], line.__dict__["left"]) == (1, 1)
    assert "secret" not in repr(line.__dict__)
