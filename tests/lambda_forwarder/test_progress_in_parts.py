"""A message that takes more than one invocation: each invocation keeps its progress."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_forwarder.dynamodb.stream_forwarder import StreamForwarder
from lambda_forwarder.errors import ForwarderError, Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.handlers.dynamodb_records import read
from lambda_forwarder.in_memory import MemoryClaims, MemoryParking, MemoryWatermarks
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.partial import note_done
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.publishing.buses import ClassicBus, OrderedBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from tailrace.change import Change
from tailrace.events import Mappers
from tests.lambda_forwarder.handlers.test_dynamodb import counted
from tests.lambda_forwarder.handlers.test_dynamodb import record as stream_record
from tests.lambda_forwarder.publishing.test_eventbridge import Clock
from tests.lambda_forwarder.values import Noted, body, claiming, delivery, inserted, streamed

pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("no_logs")]

ACCEPTED, THROTTLED, REFUSED, DENIED = "", "ThrottlingException", "MalformedDetail", "AccessDeniedException"
CALL_FAULTS = (ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents"), ReadTimeoutError(endpoint_url="https://x"))
SPOILED = ClientError({"Error": {"Code": "ValidationException"}}, "PutEvents")


class SlowBus:
    """
    A boto3 client of either bus. Each call takes a second and meets the next fault: an error that is raised, one that is raised
    after the call was applied, or a code for each entry.
    """

    def __init__(self, faults: Sequence[Any] = ()) -> None:
        self.clock = Clock(0.0)
        self.faults = list(faults)
        self.accepted: list[tuple[str, int]] = []  # (document, sequence)
        self.never: set[int] = set()  # An entry that was refused once is always refused.
        self.calls = 0

    def put_events(self, Entries: Sequence[Any], **_: object) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.clock.left -= 1.0
        self.calls += 1
        fault = self.faults.pop(0) if self.faults else ()
        told = [json.loads(entry["Detail"])["metadata"] for entry in Entries]
        if fault is SPOILED and len(told) == 1:
            fault = ()
        if isinstance(fault, Exception):
            if isinstance(fault, ReadTimeoutError):
                self._take([one for one in told if one["sequence"] not in self.never])
            raise fault
        codes = [fault[number % len(fault)] if fault else ACCEPTED for number in range(len(told))]
        self.never |= {one["sequence"] for one, code in zip(told, codes, strict=True) if code == REFUSED}
        codes = [REFUSED if one["sequence"] in self.never else code for one, code in zip(told, codes, strict=True)]
        self._take([one for one, code in zip(told, codes, strict=True) if not code])
        return {"Entries": [{"ErrorCode": code, "ErrorMessage": "x"} if code else {"EventId": "1"} for code in codes]}

    def _take(self, told: Sequence[Any]) -> None:
        self.accepted += [(one["document"].rpartition("/")[2], one["sequence"]) for one in told]


class SlowParking(MemoryParking):
    """Each item takes a second."""

    clock: Clock

    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
        for number, item in enumerate(parked):
            try:
                super().park([item], time_left)
            except Unavailable as error:
                note_done(error, (before.id for before in parked[:number]))
                raise
            self.clock.left -= 1.0


def map_unless_poison(change: Change) -> Noted:
    """Fail for a change with the field ``poison``."""
    assert change.full_document is not None
    if change.full_document.get("poison"):
        raise ValueError("it cannot be digested")
    return Noted(text=str(change.full_document.get("text", "")))


MAPPERS: Mappers = {"payments": (map_unless_poison,)}


class PartFixture:
    """A function with this timeout, and a queue with one message or a few."""

    def __init__(
        self, *messages: Sequence[Change], bus: SlowBus, seconds: int, kind: str = "classic", block: bool = False
    ) -> None:
        self.changes = [change for changes in messages for change in changes]
        self.queue = [delivery(body(*changes), message_id=str(number)) for number, changes in enumerate(messages)]
        self.bus, self.seconds = bus, seconds
        self.watermarks, self.parking, self.claims = MemoryWatermarks(), SlowParking(), MemoryClaims()
        self.parking.clock = bus.clock
        there: ClassicBus | OrderedBus = ClassicBus(bus, "b") if kind == "classic" else OrderedBus(bus, "b")
        self.forwarder = Forwarder(
            mappers=MAPPERS,
            publisher=EventBridgePublisher(there, self.claims, sleep=bus.clock.sleep),
            parking=self.parking,
            watermarks=self.watermarks,
            claims=self.claims,
            block=block,
        )

    @property
    def mark(self) -> int:
        return self.watermarks.marks["payments.17"].sequence if self.watermarks.marks else 0

    def invoke(self) -> None:
        """Invoke once. Nothing at or below the watermark is published or parked again."""
        self.bus.clock.left = float(self.seconds)
        mark, before, parked = self.mark, len(self.bus.accepted), set(self.parking.parked)
        failed = self.forwarder.forward(self.queue, self.bus.clock)
        assert all(sequence > mark for _, sequence in self.bus.accepted[before:])
        assert all(item.sequence > mark for key, item in self.parking.parked.items() if key not in parked)
        assert self.mark >= mark
        self.queue = [one for one in self.queue if one.id in failed]

    def finish(self, most: int) -> int:
        """Invoke until the queue is empty, and return the number of invocations."""
        for number in range(1, most + 1):
            self.invoke()
            if not self.queue:
                return number
        raise AssertionError(f"{len(self.queue)} messages left after {most} invocations, at {self.mark}")

    def check(self) -> None:
        """Assert that everything is published or parked, in order per document."""
        parked = {item.sequence for item in self.parking.parked.values()}
        published = {sequence for _, sequence in self.bus.accepted}
        assert published | parked == {change.sequence for change in self.changes}
        first: dict[str, list[int]] = {}
        for document, sequence in self.bus.accepted:
            if sequence not in first.setdefault(document, []):
                first[document].append(sequence)
        assert all(sequences == sorted(sequences) for sequences in first.values())


def changes(documents: str, poison: str = "", *, start: int = 1) -> list[Change]:
    """Return one change after another of these documents; those of the documents in ``poison`` fail their mapper."""
    return [inserted(name, number, poison=name in poison) for number, name in enumerate(documents, start)]


codes = st.lists(st.sampled_from([ACCEPTED, ACCEPTED, THROTTLED, REFUSED, DENIED]), min_size=1, max_size=10)
faults = st.lists(st.one_of(st.just(()), st.sampled_from([*CALL_FAULTS, SPOILED]), codes), max_size=25)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.text("abcdefgh", min_size=1, max_size=40), min_size=1, max_size=3),
    st.sets(st.sampled_from("abcdefgh"), max_size=2),
    faults,
    st.integers(1, 4),
    st.sampled_from(["classic", "ordered"]),
)
def test_every_invocation_keeps_its_progress(
    messages: list[str], poison: set[str], script: list[Any], seconds: int, kind: str
) -> None:
    """
    Whatever call fails and whenever the time runs out: every event arrives in order per document, none at or below the
    watermark again, within a bounded number of invocations.
    """
    sent, start = [], 1
    for documents in messages:
        sent.append(changes(documents, "".join(poison), start=start))
        start += len(documents)
    world = PartFixture(*sent, bus=SlowBus(script), seconds=seconds, kind=kind)
    faults = len(script)
    world.finish(faults + start)  # Each fault fails at most one invocation, and every other invocation finishes a change.
    world.check()


@pytest.mark.parametrize("seconds", [1, 2, 7])
def test_message_about_one_document_is_published_in_parts(seconds: int) -> None:
    """Each change needs its own call, and none is made twice."""
    world = PartFixture(changes("a" * 150), bus=SlowBus(), seconds=seconds)
    assert world.finish(151) == -(-150 // seconds)
    assert [sequence for _, sequence in world.bus.accepted] == list(range(1, 151))


@pytest.mark.parametrize("block", [False, True])
def test_many_documents_in_parallel_are_published_in_parts(block: bool) -> None:
    """Calls of several threads may end after the time is up: progress counts up to the first that failed."""
    names = [f"{number:03}" for number in range(200)]
    sent = [inserted(name, number) for number, name in enumerate(names + names, 1)]
    world = PartFixture(sent, bus=SlowBus(), seconds=3, block=block)
    world.finish(60)
    world.check()


@pytest.mark.parametrize("first", [0, 50, 99])
@pytest.mark.parametrize("seconds", [1, 2])
def test_poison_is_passed_however_short_the_time(first: int, seconds: int) -> None:
    """It is parked after the changes before it, even when the time is up. Otherwise it would be received for ever."""
    documents = "a" * first + "p" + "a" * (99 - first)
    world = PartFixture(changes(documents, "p"), bus=SlowBus(), seconds=seconds)
    world.finish(101)
    world.check()
    assert [item.sequence for item in world.parking.parked.values()] == [first + 1]
    assert len(world.bus.accepted) == 99


def test_message_of_only_poison_is_parked_in_parts() -> None:
    world = PartFixture(changes("p" * 100, "p"), bus=SlowBus(), seconds=2)
    world.finish(51)
    world.check()
    assert world.bus.calls == 0


def test_blocking_poison_is_not_passed() -> None:
    """Progress before it is kept, and nothing after it is published."""
    world = PartFixture(changes("aaapaaa", "p"), bus=SlowBus(), seconds=2, block=True)
    for _ in range(4):
        world.invoke()
    assert [sequence for _, sequence in world.bus.accepted] == [1, 2, 3]
    assert (world.mark, len(world.queue), world.parking.parked) == (3, 1, {})


def test_progress_before_an_unavailable_claim_is_kept() -> None:
    """A message in several runs."""
    claimed, content = claiming(inserted("c", 4))
    world = PartFixture([*changes("aaa"), claimed, inserted("d", 5)], bus=SlowBus(), seconds=60)
    world.forwarder = replace(world.forwarder, claims=None)
    world.invoke()
    assert (world.mark, len(world.queue)) == (3, 1)
    world.claims.objects["payments/1.json"] = content
    world.forwarder = replace(world.forwarder, claims=world.claims)
    world.finish(1)
    world.check()
    assert len(world.bus.accepted) == 5


def test_no_progress_is_kept_without_watermarks() -> None:
    """A message is done as a whole or received again as a whole."""
    world = PartFixture(changes("a" * 10), bus=SlowBus(), seconds=4)
    world.forwarder = replace(world.forwarder, watermarks=None)
    world.invoke()
    world.invoke()
    assert [sequence for _, sequence in world.bus.accepted] == [1, 2, 3, 4, 1, 2, 3, 4]


@pytest.mark.parametrize("park", [False, True])
@pytest.mark.parametrize("seconds", [3, 7])
def test_records_of_one_item_are_published_in_parts(park: bool, seconds: int) -> None:
    """A DynamoDB stream continues with the first failed record, whatever the reason."""
    bus, parking = SlowBus([*CALL_FAULTS] * 3), SlowParking()
    parking.clock = bus.clock
    publisher = EventBridgePublisher(ClassicBus(bus, "b"), sleep=bus.clock.sleep)
    through = StreamForwarder(
        forwarder=Forwarder(mappers={"orders": (counted,)}, publisher=publisher, parking=parking), park_on_outage=park
    )
    records = [stream_record(number) for number in range(40)]
    left = records
    for _ in range(40 + 6):
        bus.clock.left = float(seconds)
        failed = _answered(through, left, bus.clock)
        left = left[failed:]
    assert left == []
    published = [sequence for _, sequence in bus.accepted]
    assert sorted({*published, *(item.sequence for item in parking.parked.values())}) == [
        change.sequence for one in records for change in read(one, 0.0).changes
    ]
    assert (len(parking.parked) > 0) == park


def _answered(through: StreamForwarder, records: Sequence[Any], clock: Clock) -> int:
    """Return how many of the records Lambda would not retry."""
    try:
        failed = streamed(through, records, clock) if records else None
    except ForwarderError:
        return 0
    numbers = [one["dynamodb"]["SequenceNumber"] for one in records]
    return numbers.index(failed) if failed else len(records)
