"""Records of a DynamoDB stream: the same changes, events, parking and redrive as for documents."""

import base64
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpatch import apply_patch

from examples.payments.events.subscriptions import subscription_created
from lambda_forwarder import app
from lambda_forwarder.dynamodb.expiry import expired
from lambda_forwarder.dynamodb.stream_forwarder import TOGETHER, StreamForwarder
from lambda_forwarder.dynamodb.values import item, number, plain
from lambda_forwarder.errors import Blocked, Misconfigured, Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.handlers import dynamodb as dynamodb_handler
from lambda_forwarder.handlers.dynamodb import deliveries
from lambda_forwarder.handlers.dynamodb_records import GENERATIONS, read
from lambda_forwarder.in_memory import MemoryBacklog, MemoryParking, MemoryPublisher
from lambda_forwarder.metrics.metrics import Metrics
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.parking.sqs import body
from lambda_forwarder.ports import Published, TimeLeft
from lambda_forwarder.redriving.queues import parking_queue
from lambda_forwarder.redriving.redriver import Redriver
from tailrace.change import Change
from tailrace.dev.aws import Aws
from tailrace.events import DomainEvent
from tailrace.mappers.data_changes import data_changed
from tailrace.wire.change import UpdateDescription
from tailrace.wire.message import UnreadableMessage
from tests.emf import lines
from tests.lambda_forwarder.handlers.test_sqs import Context
from tests.lambda_forwarder.values import forever, streamed

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-11-22T06:00:00.000"
FIRST = 4421584500000000017450439091  # from AWS's own examples


def record(
    sequence: int = 1,
    *,
    new: Mapping[str, Any] | None = None,
    old: Mapping[str, Any] | None = None,
    keys: Mapping[str, Any] | None = None,
    key: str = "o-1",
    **fields: Any,
) -> dict[str, Any]:
    """Return one record as Lambda passes it. Its images decide the operation, by default an insert."""
    keys = keys or {"orderId": {"S": key}}
    new = {**keys, "total": {"N": "12.5"}} if new is None and old is None else new
    images = {"NewImage": new} if new else {}
    images |= {"OldImage": old} if old else {}
    return {
        "eventID": f"c4ca4238a0b923820dcc509a6f75{sequence:04}",
        "eventName": "INSERT" if not old else "MODIFY" if new else "REMOVE",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1795330680,
            "Keys": dict(keys),
            **images,
            "SequenceNumber": str(FIRST + sequence),
            "SizeBytes": 26,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": ARN,
    } | fields


def change(**fields: Any) -> Change:
    [one] = read(record(**fields), 0.0).changes
    return one


class OrderCounted(DomainEvent, source="app.tests"):
    """An order was counted."""

    order: str


def counted(change: Change) -> OrderCounted | None:
    return OrderCounted(order=str(change.document_key["_id"]))


def poisoned(change: Change) -> OrderCounted | None:
    return (
        counted(change)
        if change.document_key["_id"] != "poison"
        else OrderCounted(order=(change.full_document or {})["absent"])
    )


class UnavailableBus:
    """A bus that does not respond from this call on."""

    def __init__(self, calls: int = 0) -> None:
        self.calls = calls
        self.entries: list[Entry] = []

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        if self.calls <= 0:
            raise Unavailable("PutEvents: the time was up")
        self.calls -= 1
        self.entries += entries
        return Published()


def test_every_attribute_type_is_a_plain_json_value() -> None:
    """Exact, null only for NULL, and sets in a stable order."""
    image: dict[str, dict[str, Any]] = {
        "text": {"S": "a"},
        "yes": {"BOOL": True},
        "nothing": {"NULL": True},
        "bytes": {"B": base64.b64encode(b"\x00\x01").decode()},
        "list": {"L": [{"N": "1"}, {"M": {"deep": {"S": "x"}}}, {"L": []}]},
        "names": {"SS": ["b", "a"]},
        "numbers": {"NS": ["10", "9", "-1.5"]},
        "blobs": {"BS": ["Ag==", "AQ=="]},
        "later": {"X": "?"},
    }
    assert item(image) == {
        "text": "a",
        "yes": True,
        "nothing": None,
        "bytes": "AAE=",
        "list": [1, {"deep": "x"}, []],
        "names": ["a", "b"],
        "numbers": [-1.5, 9, 10],
        "blobs": ["AQ==", "Ag=="],
        "later": {"X": "?"},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("42", 42),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775808", "9223372036854775808"),
        ("0.1", 0.1),
        ("100E-2", 1),
        ("1E20", "1E20"),
        ("1E999999999", "1E999999999"),
        ("1E-999999999", "1E-999999999"),
        ("3.1415926535897932384626433832795028841", "3.1415926535897932384626433832795028841"),
        ("1E-130", 1e-130),
    ],
)
def test_number_is_exact(text: str, expected: object) -> None:
    """An int64, or a number that a double holds exactly, is a number. Any other is its text."""
    assert (number(text), type(number(text))) == (expected, type(expected))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**25), max_value=10**25))
def test_no_number_loses_a_digit(value: Decimal) -> None:
    """Through JSON and back."""
    told = json.loads(json.dumps(plain({"N": str(value)})))
    assert Decimal(told if isinstance(told, str) else repr(told)) == value


def test_records_become_insert_update_and_delete() -> None:
    """With the documents before and after."""
    old: dict[str, dict[str, Any]] = {"orderId": {"S": "o-1"}, "total": {"N": "1"}, "note": {"S": "x"}}
    new: dict[str, dict[str, Any]] = {"orderId": {"S": "o-1"}, "total": {"BOOL": True}, "paid": {"NULL": True}}
    inserted, updated, deleted = change(new=new), change(old=old, new=new), change(old=old)
    assert [one.operation_type for one in (inserted, updated, deleted)] == ["insert", "update", "delete"]
    assert [str(one.ns) for one in (inserted,)] == ["dynamodb.orders"]
    assert inserted.document == "dynamodb.orders/o-1"
    assert inserted.cluster_time == "1795330680.0"
    assert updated.update_description == UpdateDescription(
        updated_fields={"total": True, "paid": None}, removed_fields=["note"]
    )
    assert (updated.before, updated.after) == (item(old), item(new))
    assert (deleted.before, deleted.after) == (item(old), None)
    assert updated.became("total", True)
    assert not updated.became("orderId", "o-1")


def test_attribute_name_with_a_dot_is_no_path() -> None:
    """The documents, the patch and the description are exact."""
    keys = {"orderId": {"S": "o-1"}}
    updated = change(
        old={**keys, "a": {"M": {"b": {"N": "1"}}}}, new={**keys, "a": {"M": {"b": {"N": "1"}}}, "a.b": {"N": "2"}}
    )
    assert updated.operation_type == "update"
    assert not updated.changed("a")
    assert updated.after == {"orderId": "o-1", "a": {"b": 1}, "a.b": 2}
    assert updated.diff() == [{"op": "add", "path": "/a.b", "value": 2}]


ATTRIBUTES = st.dictionaries(
    st.sampled_from(["a", "b", "a.b", "a.0", "0", ""]),
    st.recursive(
        st.integers(0, 2).map(lambda number: {"N": str(number)})
        | st.sampled_from([{"BOOL": True}, {"NULL": True}, {"S": "1"}]),
        lambda inner: (
            st.lists(inner, max_size=2).map(lambda held: {"L": held})
            | st.dictionaries(st.sampled_from(["a", "b", "0"]), inner, max_size=2).map(lambda held: {"M": held})
        ),
        max_leaves=4,
    ),
)


@given(ATTRIBUTES, ATTRIBUTES)
def test_update_matches_its_images(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Whatever the names."""
    key = {"orderId": {"S": "o-1"}}
    told = change(old=key | old, new=key | new)
    before, after = item(key | old), item(key | new)
    assert (told.before, told.after) == (before, after)
    assert apply_patch(before, told.diff()) == after


def test_composite_key_names_an_item() -> None:
    """In any order of the keys."""
    one, other = {"pk": {"S": "a"}, "sk": {"N": "1"}}, {"sk": {"N": "2"}, "pk": {"S": "a"}}
    assert change(keys=one).document_key == {"_id": {"pk": "a", "sk": 1}}
    assert change(keys=other).document == 'dynamodb.orders/{"pk":"a","sk":2}'


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"pk": {"S": "o-1"}}, "o-1"),
        ({"pk": {"N": "7"}}, "7"),
        ({"pk": {"N": "7.00"}}, "7"),
        ({"pk": {"N": "70E-1"}}, "7"),
        ({"pk": {"N": "3.1415926535897932384626433832795028841"}}, "3.1415926535897932384626433832795028841"),
        ({"pk": {"S": "7"}}, '"7"'),
        ({"pk": {"S": "AAE="}}, '"AAE="'),
        ({"pk": {"B": "AAE="}}, "Binary(0,AAE=)"),
        ({"pk": {"S": '{"pk":"a"}'}}, '"{\\"pk\\":\\"a\\"}"'),
        ({"pk": {"S": "a"}, "sk": {"S": "7"}}, '{"pk":"a","sk":"7"}'),
        ({"sk": {"N": "7.0"}, "pk": {"S": "a"}}, '{"pk":"a","sk":7}'),
    ],
    ids=str,
)
def test_item_has_a_unique_name(keys: dict[str, dict[str, str]], name: str) -> None:
    """Text, number and binary differ, and a number is its value, as in MongoDB."""
    assert change(keys=keys).document == f"dynamodb.orders/{name}"


@pytest.mark.parametrize("key", [{"N": "x"}, {"N": "1E999999999"}, {"B": "!"}, {"BOOL": True}, {"S": 7}, {}], ids=str)
def test_illegal_key_is_unreadable(key: dict[str, Any]) -> None:
    """It is parked, and the shard continues."""
    with pytest.raises(UnreadableMessage):
        change(keys={"pk": key})


def test_expired_item_is_recognised() -> None:
    """A delete by time to live differs from other deletes."""
    old = {"orderId": {"S": "o-1"}}
    user = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert expired(change(old=old, userIdentity=user))
    assert not expired(change(old=old))
    assert not expired(change(old=old, userIdentity=user | {"principalId": "ada"}))


def test_positions_keep_the_order_of_sequence_numbers() -> None:
    """Within the integers that every JSON reader keeps exact."""
    numbers = [111, FIRST, FIRST + 1, FIRST + 10**15, 10**33 - 1]
    places = []
    for one in numbers:
        told = record()
        told["dynamodb"]["SequenceNumber"] = str(one)
        message = read(told, 0.0)
        places.append((message.generation, message.changes[0].sequence))
    assert places == sorted(set(places))
    assert all(sequence < 2**53 for _, sequence in places)
    told["dynamodb"]["SequenceNumber"] = "9" * 40
    assert read(told, 0.0).generation == GENERATIONS


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"Sns": {}},
        record(eventName="RENAME"),
        record(dynamodb={}),
        record(new={"orderId": "o-1"}),
        record(eventName="MODIFY"),
        record(keys={"orderId": {"S": "x", "N": "1"}}),
        record(new={"orderId": {"S": "o-1"}, "sizes": {"NS": ["none"]}}),
        record(new={"orderId": {"S": "o-1"}, "text": {"S": "\ud800"}}),
        record(new={"orderId": {"S": "o-1"}, "\ud800": {"S": "x"}}),
        record(keys={"orderId": {"S": "\ud800"}}),
    ],
)
def test_invalid_record_is_parked_unchanged(broken: dict[str, Any]) -> None:
    """The next record continues."""
    with pytest.raises(UnreadableMessage):
        read(broken, 0.0)
    publisher, parking = MemoryPublisher(), MemoryParking()
    forwarder = Forwarder(mappers={"orders": (counted,)}, publisher=publisher, parking=parking)
    assert streamed(StreamForwarder(forwarder=forwarder), [broken, record()], forever) is None
    [parked] = parking.parked.values()
    assert json.loads(parked.body or "") == broken
    assert len(publisher.entries) == 1


def test_stream_without_both_images_is_misconfigured() -> None:
    """The error names the table and the remedy, and the records stay."""
    told = record()
    told["dynamodb"]["StreamViewType"] = "KEYS_ONLY"
    with pytest.raises(Misconfigured, match="orders has the view type KEYS_ONLY; set it to NEW_AND_OLD_IMAGES"):
        list(deliveries([told], 0.0))


def test_events_of_an_item_keep_order_and_ids() -> None:
    """A repeat has the same ids and bytes."""
    told = [record(number, key=f"o-{number % 3}") for number in range(1, 2 * TOGETHER)]
    first, again = MemoryPublisher(), MemoryPublisher()
    for publisher in (first, again):
        forwarder = Forwarder(mappers={"dynamodb.orders": (counted,)}, publisher=publisher, parking=MemoryParking())
        assert streamed(StreamForwarder(forwarder=forwarder), told, forever) is None
    assert [entry.detail for entry in first.entries] == [entry.detail for entry in again.entries]
    for order in ("o-0", "o-1", "o-2"):
        sequences = [entry.change.sequence for entry in first.entries if entry.document.endswith(order)]
        assert sequences == sorted(sequences)
    assert len({entry.id for entry in first.entries}) == len(told)


def test_first_failed_record_is_returned() -> None:
    """It and all later records are retried."""
    told = [record(number) for number in range(1, TOGETHER + 3)]
    publisher = UnavailableBus(calls=1)
    forwarder = Forwarder(mappers={"orders": (counted,)}, publisher=publisher, parking=MemoryParking())
    assert streamed(StreamForwarder(forwarder=forwarder), told, forever) == str(FIRST + TOGETHER + 1)
    assert len(publisher.entries) == TOGETHER
    with pytest.raises(Unavailable):
        streamed(StreamForwarder(forwarder=forwarder), told, forever)


def test_blocking_record_is_returned() -> None:
    """The records before it are published and not retried."""
    publisher = MemoryPublisher()
    forwarder = Forwarder(mappers={"orders": (poisoned,)}, publisher=publisher, parking=MemoryParking(), block=True)
    stream = StreamForwarder(forwarder=forwarder)
    assert streamed(stream, [record(1), record(2, key="poison"), record(3)], forever) == str(FIRST + 2)
    assert [entry.change.sequence for entry in publisher.entries] == [(FIRST + 1) % 10**15]
    with pytest.raises(Blocked):
        streamed(stream, [{}], forever)


def test_poison_record_is_parked_and_the_rest_is_published() -> None:
    publisher, parking = MemoryPublisher(), MemoryParking()
    forwarder = Forwarder(mappers={"orders": (poisoned,)}, publisher=publisher, parking=parking)
    assert streamed(StreamForwarder(forwarder=forwarder), [record(1, key="poison"), record(2)], forever) is None
    assert len(publisher.entries) == 1
    assert [parked.document for parked in parking.parked.values()] == ["dynamodb.orders/poison"]


def test_outage_parks_or_keeps_records_and_redrive_publishes_them() -> None:
    """By the setting. A redriven event is marked late."""
    parking, publisher = MemoryParking(), MemoryPublisher()
    away = Forwarder(mappers={"orders": (data_changed,)}, publisher=UnavailableBus(), parking=parking)
    old, new = {"orderId": {"S": "o-1"}, "total": {"N": "1"}}, {"orderId": {"S": "o-1"}, "total": {"N": "2"}}
    told = [record(1, new=old), record(2, old=old, new=new)]
    with pytest.raises(Unavailable):
        streamed(StreamForwarder(forwarder=away), told, forever)
    assert not parking.parked
    for _ in range(2):
        assert streamed(StreamForwarder(forwarder=away, park_on_outage=True), told, forever) is None
    assert len(parking.parked) == 2

    waiting = [
        Delivery(id=one.id, group=one.document, body=body(one).decode(), receipt=one.id) for one in parking.parked.values()
    ]
    back = Forwarder(mappers={"orders": (data_changed,)}, publisher=publisher, parking=parking)
    backlog = MemoryBacklog(waiting=waiting)
    report = Redriver(forwarder=back, queues=[parking_queue(backlog)]).redrive(forever)
    assert (report.published, report.late, report.left, backlog.waiting) == (2, 2, 0, [])
    details = [json.loads(entry.detail) for entry in publisher.entries]
    assert [detail["data"]["operation"] for detail in details] == ["created", "updated"]
    assert details[1]["data"]["patch"] == [{"op": "replace", "path": "/total", "value": 2}]
    assert all(detail["metadata"]["late"] for detail in details)


def test_shipped_mapper_reads_a_table_like_a_collection() -> None:
    image = {"id": {"S": "sub-1"}, "productId": {"S": "razor"}, "quantity": {"N": "1"}, "status": {"S": "active"}}
    event = subscription_created(change(new=image, keys={"id": {"S": "sub-1"}}))
    assert (event.subscription_id, event.quantity) == ("sub-1", 1) if event else False


def test_records_are_counted_by_table() -> None:
    """Published with a latency, parked, and retried."""
    mappers = {"orders": (poisoned,)}
    publisher, metrics = UnavailableBus(calls=1), Metrics(now=lambda: datetime(2026, 11, 22, 6, 58, 2, tzinfo=UTC))
    forwarder = Forwarder(mappers=mappers, publisher=publisher, parking=MemoryParking(), metrics=metrics)
    records = [record(number, key="poison" if number == 2 else f"o-{number}") for number in range(1, TOGETHER + 4)]
    streamed(StreamForwarder(forwarder=forwarder), records, forever)
    counted = {"EventsPublished": (TOGETHER - 1,), "ChangesParked": (1,), "MessagesFailed": (3,), "CommitToBus": [2000]}
    assert metrics.take() == {"dynamodb.orders": counted}
    streamed(StreamForwarder(forwarder=forwarder, park_on_outage=True), records[-3:], forever)
    assert metrics.take() == {"dynamodb.orders": {"ChangesParked": (3,)}}


@pytest.fixture
def settings(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A bus, a parking queue and their settings; returns the queue's URL."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("FORWARDER_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FORWARDER_MAPPERS", "examples.payments.events:MAPPERS")
    name = uuid4().hex
    aws("events").create_event_bus(Name=name)
    url = str(aws("sqs").create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"])
    for key, value in (aws.environment | {"FORWARDER_EVENT_BUS": name, "FORWARDER_PARKING_QUEUE_URL": url}).items():
        monkeypatch.setenv(key, value)
    for made in (app.forwarder, app.stream_forwarder):
        made.cache_clear()
    yield url
    for made in (app.forwarder, app.stream_forwarder):
        made.cache_clear()


def test_handler_returns_lambdas_response(
    settings: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A batch with no progress fails as a whole. The log has the metrics of both."""
    monkeypatch.setenv("FORWARDER_EMF_NAMESPACE", "Tailrace/trial")
    assert dynamodb_handler.handler({"Records": [record(1), record(2)]}, Context()) == {"batchItemFailures": []}
    with pytest.raises(Unavailable, match="the time was up"):
        dynamodb_handler.handler({"Records": [record(1)]}, Context(seconds=0))
    told = lines(capsys.readouterr().out, "dynamodb.orders")
    assert [line["MessagesFailed"] for line in told if "MessagesFailed" in line.metrics] == [1]


def test_invalid_on_outage_setting_is_named(settings: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDER_ON_OUTAGE", "drop")
    with pytest.raises(Misconfigured, match="FORWARDER_ON_OUTAGE"):
        dynamodb_handler.handler({"Records": []}, Context())
