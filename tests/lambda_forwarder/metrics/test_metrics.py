"""What the forwarder counts of each stream, and that it is true of what became of the changes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryParking, MemoryPublisher, MemoryWatermarks
from lambda_forwarder.mapping.events import map_changes
from lambda_forwarder.mappings import MAPPERS
from lambda_forwarder.metrics.metrics import SAMPLE, Metrics, Values
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.ports import Published, TimeLeft
from tailrace.aws.unmapped import NAMES
from tailrace.wire.change import Namespace
from tailrace.wire.message import encode_change, group_id, pack
from tests.lambda_forwarder.values import body, cancelled, delivery, forever, inserted, message, noteds

NOW = datetime(2026, 11, 22, 7, 1, 31, 456_000, tzinfo=UTC)  # a second after the cancellation
PUBLISHED, _ = map_changes(message(cancelled()), MAPPERS)


class Throttled:
    """A bus that is down."""

    def publish(self, entries: Sequence[object], time_left: TimeLeft) -> Published:
        raise Unavailable("throttled")


def metrics() -> Metrics:
    return Metrics("Tailrace/trial", now=lambda: NOW)


def counted(*deliveries: Delivery, **parts: object) -> Values:
    """What a forwarder of these parts counts of these deliveries."""
    given = {"mappers": MAPPERS, "publisher": MemoryPublisher(), "parking": MemoryParking(), "metrics": metrics()} | parts
    through = Forwarder(**given)  # type: ignore[arg-type]
    through.forward(deliveries, forever)
    return through.metrics.take()


def test_what_was_published_is_counted_with_the_time_it_took() -> None:
    """From the commit of the oldest change of the message, in milliseconds."""
    text = body(cancelled("a", 1), cancelled("b", 2))
    assert counted(delivery(text)) == {"payments": {"EventsPublished": (2,), "CommitToBus": [1000]}}


def test_what_was_parked_is_counted() -> None:
    """Beside what was published of the same message."""
    text = body(cancelled("a", 1), inserted("b", 2, subscriptionId=7))
    found = counted(delivery(text))["payments"]
    assert (found["EventsPublished"], found["ChangesParked"]) == ((1,), (1,))


def test_what_is_not_ours_is_counted_under_no_name_of_its_own() -> None:
    """Whoever may send to the queue cannot make metrics as they like."""
    assert counted(delivery("not ours")) == {"unknown": {"ChangesParked": (1,)}}
    foreign = delivery("x", group="a name with spaces")
    assert counted(foreign, parking=MemoryParking(), publisher=Throttled()) == {"unknown": {"ChangesParked": (1,)}}


@pytest.mark.parametrize(
    "name", ["payments", "Payments", "payments.1", "payments\n", "x", "unknown", "a name with spaces", "é"]
)
def test_a_stream_that_the_deployment_does_not_have_is_no_metric(name: str) -> None:
    """Told of its streams, the forwarder counts every other name as unknown, however the change ends."""
    told = Metrics("Tailrace/trial", now=lambda: NOW, streams=frozenset({"payments", "dynamodb.carts"}))
    changes = [encode_change(one) for one in (cancelled("a", 1), inserted("b", 2, subscriptionId=7))]
    text = pack(stream=name, generation=1, lane=17, changes=changes)
    found = [
        counted(delivery(text), metrics=told),
        counted(delivery(text, group=f"{name}.1"), publisher=Throttled(), metrics=told),
    ]
    assert {stream for values in found for stream in values} == {"payments" if name == "payments" else "unknown"}


def test_a_table_is_a_stream_of_the_deployment_too() -> None:
    """By the name that its function gives it, for redrive."""
    told = Metrics(streams=frozenset({"dynamodb.carts"}))
    for name in ("dynamodb.carts", "dynamodb.orders"):
        told.failed(name)
    assert told.take() == {"dynamodb.carts": {"MessagesFailed": (1,)}, "unknown": {"MessagesFailed": (1,)}}


def test_what_comes_again_is_counted_with_what_waits_behind_it() -> None:
    """A failed message and the rest of its group."""
    records = [delivery(body(cancelled("a"))), delivery(body(cancelled("b")))]
    assert counted(*records, publisher=Throttled()) == {"payments": {"MessagesFailed": (2,)}}


def test_a_repeat_that_the_watermark_drops_is_counted() -> None:
    """And tells nothing of latency."""
    marks = MemoryWatermarks()
    once = delivery(body(cancelled()), group=group_id("payments", 17))
    counted(once, watermarks=marks)
    assert counted(once, watermarks=marks) == {"payments": {"DuplicatesDropped": (1,)}}


def test_a_change_that_no_mapper_reads_is_counted() -> None:
    """Once for each, by its stream; not where the table has its collection, be it without a mapper."""
    elsewhere = replace(cancelled("b", 3), ns=Namespace(db="payments", coll="refunds"))
    for mappers, count in (({}, 2), ({"payments": ()}, 1), ({"payments": (), "refunds": ()}, 0)):
        found = counted(delivery(body(cancelled(), elsewhere)), mappers=mappers)
        assert found == ({"payments": {"Unmapped": (count,)}} if count else {})


def test_a_repeat_of_what_no_mapper_reads_is_counted_once() -> None:
    """What failed comes again, and is counted when its message is done."""
    elsewhere = replace(cancelled("b", 3), ns=Namespace(db="payments", coll="refunds"))
    assert "Unmapped" not in counted(delivery(body(cancelled(), elsewhere)), publisher=Throttled())["payments"]


def test_the_log_names_each_collection_once_and_not_too_many(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever may send to the queue can make up names. With the key that was meant, if there is one like it."""
    forwarder = Forwarder(mappers={"refund": ()}, publisher=MemoryPublisher(), parking=MemoryParking())
    changes = [
        replace(cancelled("b", number), ns=Namespace(db="payments", coll=f"{coll}\x1b{'x' * 500}" if number > 2 else coll))
        for number, coll in enumerate(["refunds", "refunds", *(f"c{number}" for number in range(50))], 1)
    ]
    for _ in range(2):
        assert forwarder.forward([delivery(body(*changes))], forever) == []
    said = [line for line in caplog.records if getattr(line, "action", "") == "unmapped"]
    assert len(said) == NAMES + 1
    assert said[0].getMessage().startswith("no mapper reads payments.refunds (did you mean the key 'refund'?)")
    assert all(line.getMessage().isprintable() for line in said)
    assert forwarder.metrics.take() == {"payments": {"Unmapped": (104,)}}


def test_the_time_is_that_of_what_was_published() -> None:
    """A change that nobody maps, and an event that the bus refused, tell nothing of how fast the way was."""
    unmapped = replace(cancelled("b", 1), ns=Namespace(db="payments", coll="refunds"), wall_time="2020-01-01T00:00:00Z")
    refused = inserted("c", 2, subscriptionId="x" * 600)
    found = counted(delivery(body(unmapped, refused, cancelled("a", 3))), publisher=MemoryPublisher(limit=500))["payments"]
    assert (found["EventsPublished"], found["CommitToBus"]) == ((1,), [1000])


@pytest.mark.parametrize(
    "odd", [{"wall_time": "soon"}, {"wall_time": "2026-11-22T06:58:00"}, {"cluster_time": "99999999999999.1"}]
)
def test_no_metric_fails_a_message_whose_events_were_published(odd: dict[str, str]) -> None:
    """A time that is none makes the message none, before anything of it is published."""
    publisher, parking = MemoryPublisher(), MemoryParking()
    unmapped = replace(inserted("b", 2), ns=Namespace(db="payments", coll="refunds"), **odd)
    found = counted(delivery(body(inserted("a", 1), unmapped)), publisher=publisher, parking=parking)
    assert found == {"unknown": {"ChangesParked": (1,)}}
    assert (publisher.entries, len(parking.parked)) == ([], 1)


def test_what_was_taken_is_not_told_again() -> None:
    """Every invocation tells its own."""
    found = metrics()
    found.failed("payments")
    assert found.take() == {"payments": {"MessagesFailed": (1,)}}
    assert found.take() == {}


def test_a_clock_behind_the_servers_gives_no_negative_time() -> None:
    """Zero is the least."""
    found = Metrics(now=lambda: NOW - timedelta(days=1))
    found.published("payments", PUBLISHED)
    assert found.take()["payments"]["CommitToBus"] == [0]


def test_without_a_clock_there_are_no_latencies() -> None:
    """What was redriven waited for days, and tells nothing of how fast the way is."""
    found = Metrics()
    found.published("payments", noteds(*"abc"))
    assert found.take() == {"payments": {"EventsPublished": (3,)}}


@pytest.mark.parametrize("count", [1, SAMPLE, SAMPLE + 1, 1000])
def test_of_very_many_latencies_there_is_a_part_with_the_longest(count: int) -> None:
    """No more than a line can hold."""
    times = iter(NOW + timedelta(milliseconds=number) for number in range(count))
    found = Metrics(now=lambda: next(times))
    for _ in range(count):
        found.published("payments", PUBLISHED)
    latencies = found.take()["payments"]["CommitToBus"]
    assert len(latencies) <= SAMPLE
    assert max(latencies) == 1000 + count - 1
