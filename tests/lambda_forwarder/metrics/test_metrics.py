"""What the forwarder counts per stream."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from examples.payments.events import MAPPERS
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryParking, MemoryPublisher, MemoryWatermarks
from lambda_forwarder.mapping.events import map_changes
from lambda_forwarder.metrics.metrics import Metrics, Values
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.ports import Published, TimeLeft
from tailrace.aws.emf import SAMPLE
from tailrace.aws.unmapped import NAMES
from tailrace.wire.change import Namespace
from tailrace.wire.message import encode_change, group_id, pack
from tests.lambda_forwarder.values import body, cancelled, delivery, forever, inserted, message, noted_entries

NOW = datetime(2026, 11, 22, 7, 1, 31, 456_000, tzinfo=UTC)  # one second after the cancellation
PUBLISHED, _ = map_changes(message(cancelled()), MAPPERS)


class ThrottledBus:
    def publish(self, entries: Sequence[object], time_left: TimeLeft) -> Published:
        raise Unavailable("throttled")


def metrics() -> Metrics:
    return Metrics("Tailrace/trial", now=lambda: NOW)


def counts_of(*deliveries: Delivery, **parts: object) -> Values:
    """What a forwarder of these parts counts of these deliveries."""
    given = {"mappers": MAPPERS, "publisher": MemoryPublisher(), "parking": MemoryParking(), "metrics": metrics()} | parts
    through = Forwarder(**given)  # type: ignore[arg-type]
    through.forward(deliveries, forever)
    return through.metrics.take()


def test_published_events_are_counted_with_their_latency() -> None:
    """In milliseconds from the commit of the oldest change of the message."""
    text = body(cancelled("a", 1), cancelled("b", 2))
    assert counts_of(delivery(text)) == {"payments": {"EventsPublished": (2,), "CommitToBus": [1000]}}


def test_parked_changes_are_counted() -> None:
    text = body(cancelled("a", 1), inserted("b", 2, subscriptionId=7))
    found = counts_of(delivery(text))["payments"]
    assert (found["EventsPublished"], found["ChangesParked"]) == ((1,), (1,))


def test_foreign_message_is_counted_as_unknown() -> None:
    """The sender of a message must not create metrics."""
    assert counts_of(delivery("not ours")) == {"unknown": {"ChangesParked": (1,)}}
    foreign = delivery("x", group="a name with spaces")
    assert counts_of(foreign, parking=MemoryParking(), publisher=ThrottledBus()) == {"unknown": {"ChangesParked": (1,)}}


@pytest.mark.parametrize(
    "name", ["payments", "Payments", "payments.1", "payments\n", "x", "unknown", "a name with spaces", "é"]
)
def test_stream_of_another_deployment_is_counted_as_unknown(name: str) -> None:
    """Whether its changes are published, parked or fail."""
    told = Metrics("Tailrace/trial", now=lambda: NOW, streams=frozenset({"payments", "dynamodb.carts"}))
    changes = [encode_change(one) for one in (cancelled("a", 1), inserted("b", 2, subscriptionId=7))]
    text = pack(stream=name, generation=1, lane=17, changes=changes)
    found = [
        counts_of(delivery(text), metrics=told),
        counts_of(delivery(text, group=f"{name}.1"), publisher=ThrottledBus(), metrics=told),
    ]
    assert {stream for values in found for stream in values} == {"payments" if name == "payments" else "unknown"}


def test_table_is_counted_as_a_stream_of_the_deployment() -> None:
    told = Metrics(streams=frozenset({"dynamodb.carts"}))
    for name in ("dynamodb.carts", "dynamodb.orders"):
        told.count(name, "MessagesFailed", 1)
    assert told.take() == {"dynamodb.carts": {"MessagesFailed": (1,)}, "unknown": {"MessagesFailed": (1,)}}


def test_failed_message_is_counted_with_the_rest_of_its_group() -> None:
    records = [delivery(body(cancelled("a"))), delivery(body(cancelled("b")))]
    assert counts_of(*records, publisher=ThrottledBus()) == {"payments": {"MessagesFailed": (2,)}}


def test_duplicate_dropped_by_the_watermark_is_counted() -> None:
    """Without a latency."""
    marks = MemoryWatermarks()
    once = delivery(body(cancelled()), group=group_id("payments", 17))
    counts_of(once, watermarks=marks)
    assert counts_of(once, watermarks=marks) == {"payments": {"DuplicatesDropped": (1,)}}


def test_unmapped_change_is_counted() -> None:
    """Unless the table lists its collection, even with no mapper."""
    elsewhere = replace(cancelled("b", 3), ns=Namespace(db="payments", coll="refunds"))
    for mappers, count in (({}, 2), ({"payments": ()}, 1), ({"payments": (), "refunds": ()}, 0)):
        found = counts_of(delivery(body(cancelled(), elsewhere)), mappers=mappers)
        assert found == ({"payments": {"Unmapped": (count,)}} if count else {})


def test_unmapped_change_of_a_failed_message_is_counted_once() -> None:
    """When the message succeeds."""
    elsewhere = replace(cancelled("b", 3), ns=Namespace(db="payments", coll="refunds"))
    assert "Unmapped" not in counts_of(delivery(body(cancelled(), elsewhere)), publisher=ThrottledBus())["payments"]


def test_unmapped_collection_is_logged_once_and_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """With the key that was probably meant."""
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


def test_latency_is_that_of_published_changes() -> None:
    """Not of unmapped changes and refused events."""
    unmapped = replace(cancelled("b", 1), ns=Namespace(db="payments", coll="refunds"), wall_time="2020-01-01T00:00:00Z")
    refused = inserted("c", 2, subscriptionId="x" * 600)
    found = counts_of(delivery(body(unmapped, refused, cancelled("a", 3))), publisher=MemoryPublisher(limit=500))["payments"]
    assert (found["EventsPublished"], found["CommitToBus"]) == ((1,), [1000])


@pytest.mark.parametrize(
    "odd", [{"wall_time": "soon"}, {"wall_time": "2026-11-22T06:58:00"}, {"cluster_time": "99999999999999.1"}]
)
def test_invalid_time_parks_the_message_before_anything_is_published(odd: dict[str, str]) -> None:
    publisher, parking = MemoryPublisher(), MemoryParking()
    unmapped = replace(inserted("b", 2), ns=Namespace(db="payments", coll="refunds"), **odd)
    found = counts_of(delivery(body(inserted("a", 1), unmapped)), publisher=publisher, parking=parking)
    assert found == {"unknown": {"ChangesParked": (1,)}}
    assert (publisher.entries, len(parking.parked)) == ([], 1)


def test_taken_counts_are_not_reported_again() -> None:
    found = metrics()
    found.count("payments", "MessagesFailed", 1)
    assert found.take() == {"payments": {"MessagesFailed": (1,)}}
    assert found.take() == {}


def test_latency_is_never_negative() -> None:
    """The clock may be behind the server's."""
    found = Metrics(now=lambda: NOW - timedelta(days=1))
    found.published("payments", PUBLISHED)
    assert found.take()["payments"]["CommitToBus"] == [0]


def test_no_latency_is_counted_without_a_clock() -> None:
    """Redriven changes waited for days."""
    found = Metrics()
    found.published("payments", noted_entries(*"abc"))
    assert found.take() == {"payments": {"EventsPublished": (3,)}}


@pytest.mark.parametrize("count", [1, SAMPLE, SAMPLE + 1, 1000])
def test_latencies_are_sampled_with_the_longest(count: int) -> None:
    """Within the limit of a line."""
    times = iter(NOW + timedelta(milliseconds=number) for number in range(count))
    found = Metrics(now=lambda: next(times))
    for _ in range(count):
        found.published("payments", PUBLISHED)
    latencies = found.take()["payments"]["CommitToBus"]
    assert len(latencies) <= SAMPLE
    assert max(latencies) == 1000 + count - 1
