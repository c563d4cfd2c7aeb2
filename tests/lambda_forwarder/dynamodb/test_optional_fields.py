"""
Optional fields of a DynamoDB record may be missing or have another form. A record that cannot be read is parked with the
reason.
"""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from lambda_forwarder.dynamodb.expiry import expired
from lambda_forwarder.dynamodb.stream_forwarder import StreamForwarder
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.handlers.dynamodb_records import read
from lambda_forwarder.in_memory import MemoryParking, MemoryPublisher
from tailrace.change import Change
from tailrace.wire.message import UnreadableMessage
from tests.lambda_forwarder.handlers.test_dynamodb import counted, record
from tests.lambda_forwarder.values import ARRIVED, forever, streamed

SECOND = datetime(2026, 11, 22, 6, 58, 0, tzinfo=UTC)  # 1795330680
MILLISECOND = SECOND.replace(microsecond=123_000)
TIMES: dict[str, tuple[Any, datetime]] = {
    "missing": (..., datetime.fromtimestamp(1795340000, tz=UTC)),
    "null": (None, datetime.fromtimestamp(1795340000, tz=UTC)),
    "seconds": (1795330680, SECOND),
    "zero": (0, datetime.fromtimestamp(0, tz=UTC)),
    "float": (1795330680.0, SECOND),
    "fraction": (1795330680.123, MILLISECOND),
    "exponent": (1.79533068e9, SECOND),
    "milliseconds": (1795330680123, MILLISECOND),
    "milliseconds as float": (1.795330680123e12, MILLISECOND),
    "microseconds": (1795330680123456, MILLISECOND),
    "nanoseconds": (1795330680123456789, MILLISECOND),
    "whole second in milliseconds": (1795330680000, SECOND),
    "text of seconds": ("1795330680", SECOND),
    "text of a fraction": ("1795330680.123", MILLISECOND),
    "text of milliseconds": ("1795330680123", MILLISECOND),
    "RFC 3339": ("2026-11-22T06:58:00Z", SECOND),
    "RFC 3339 with an offset": ("2026-11-22T08:58:00.123+02:00", MILLISECOND),
    "datetime": (SECOND, SECOND),
    "datetime with milliseconds": (MILLISECOND, MILLISECOND),
    "datetime with an offset": (MILLISECOND.astimezone(timezone(timedelta(hours=2))), MILLISECOND),
    "datetime without an offset": (MILLISECOND.replace(tzinfo=None), MILLISECOND),
    "last second": (9_999_999_999, datetime(2286, 11, 20, 17, 46, 39, tzinfo=UTC)),
}
NO_TIMES = [
    -1,
    -0.5,
    True,
    float("nan"),
    float("inf"),
    10**20,
    10**400,
    "",
    "yesterday",
    "9" * 5_000,
    {"N": "1"},
    [],
    "0001-01-01",
]


def record_with(**fields: Any) -> dict[str, Any]:
    """Return a record whose stream part has these fields, without those that are ``...``."""
    told = record()
    told["dynamodb"] = {name: value for name, value in (told["dynamodb"] | fields).items() if value is not ...}
    return told


def record_without(name: str) -> dict[str, Any]:
    return {key: value for key, value in record().items() if key != name}


def forwarded(told: dict[str, Any]) -> tuple[MemoryPublisher, MemoryParking]:
    publisher, parking = MemoryPublisher(), MemoryParking()
    forwarder = Forwarder(mappers={"orders": (counted,)}, publisher=publisher, parking=parking)
    assert streamed(StreamForwarder(forwarder=forwarder), [told], forever) is None
    return publisher, parking


@pytest.mark.parametrize("form", TIMES)
def test_creation_time_is_read_in_every_form(form: str) -> None:
    """To the millisecond if it has them. Without it the change is dated by its arrival."""
    told, expected = TIMES[form]
    publisher, parking = forwarded(record_with(ApproximateCreationDateTime=told))
    assert parking.parked == {}
    [entry] = publisher.entries
    assert entry.time == expected
    assert entry.change.cluster_time == f"{int(expected.timestamp())}.0"


@pytest.mark.parametrize("told", NO_TIMES, ids=lambda told: repr(told)[:20])
def test_invalid_creation_time_is_named(told: Any) -> None:
    """No mapper is blamed, and the record is parked unchanged."""
    with pytest.raises(UnreadableMessage, match=r"ApproximateCreationDateTime is .*not a valid time") as raised:
        read(record_with(ApproximateCreationDateTime=told), ARRIVED)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    "told",
    [
        record_with(SizeBytes=...),
        record_with(SizeBytes="many"),
        record_with(StreamViewType=...),
        record_with(StreamViewType=None),
        record_with(Unheard="of"),
        record_with(ApproximateCreationDateTimePrecision="MILLISECOND"),
        record_without("eventVersion"),
        record_without("eventSource"),
        record_without("awsRegion"),
        record(userIdentity=None),
        record(userIdentity="nobody"),
        record(eventID=None),
        record_without("eventID"),
    ],
    ids=lambda told: str(sorted(told))[:0],
)
def test_optional_field_may_be_missing_or_have_another_form(told: dict[str, Any]) -> None:
    publisher, parking = forwarded(told)
    assert (len(publisher.entries), parking.parked) == (1, {})


def test_record_without_an_id_gets_one_from_its_position() -> None:
    """The same each time, and another than its neighbours'."""

    def named(sequence: int) -> Change:
        told = record(sequence)
        del told["eventID"]
        return read(told, ARRIVED).changes[0]

    assert named(1).id == named(1).id != named(2).id


@pytest.mark.parametrize("names", [("type", "principalId"), ("Type", "PrincipalId")])
def test_expiry_is_recognised_in_both_spellings(names: tuple[str, str]) -> None:
    """Lambda's and the API's."""
    user = dict(zip(names, ("Service", "dynamodb.amazonaws.com"), strict=True))
    told = record(old={"orderId": {"S": "o-1"}}, userIdentity=user)
    assert expired(read(told, ARRIVED).changes[0])


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (record_without("eventSourceARN"), "eventSourceARN"),
        (record(eventSourceARN="arn:aws:kinesis:eu-west-1:123456789012:stream/orders"), "names no table"),
        (record(eventSourceARN=""), "names no table"),
        (record_without("eventName"), "eventName"),
        (record_without("dynamodb"), "dynamodb"),
        (record_with(SequenceNumber=...), "SequenceNumber"),
        (record_with(SequenceNumber="-1"), "sequenceNumber|SequenceNumber"),
        (record_with(Keys=...), "Keys"),
        (record_with(Keys={}), "keys"),
        (record_with(NewImage=...), "INSERT with neither image"),
        (record(eventName="REMOVE"), "REMOVE with the new image"),
        (record(old={"orderId": {"S": "o-1"}}, eventName="MODIFY"), "MODIFY with the old image"),
    ],
)
def test_unreadable_record_is_parked_with_the_reason(told: dict[str, Any], reason: str) -> None:
    """Unchanged, without a mapper. The next record continues."""
    publisher, parking = forwarded(told)
    [item] = parking.parked.values()
    assert (publisher.entries, item.mapper) == ([], "")
    assert json.loads(item.body or "") == told
    with pytest.raises(UnreadableMessage, match=reason):
        read(told, ARRIVED)


def test_unreadable_record_that_cannot_be_parked_fails_the_batch() -> None:
    """It may have no sequence number, so Lambda must retry every record."""

    class Away(MemoryParking):
        def park(self, *_: Any) -> None:
            raise Unavailable("the queue is away")

    forwarder = Forwarder(mappers={"orders": (counted,)}, publisher=MemoryPublisher(), parking=Away())
    with pytest.raises(Unavailable):
        streamed(StreamForwarder(forwarder=forwarder), [record(), {"Sns": {}}], forever)


@pytest.mark.parametrize("kind", ["L", "M"])
@pytest.mark.parametrize("depth", [33, 100, 300, 450, 10_000])
def test_record_nested_deeper_than_dynamodb_allows_is_parked(kind: str, depth: int) -> None:
    assert outcome(nested(kind, 32)) == (1, 0)
    assert outcome(nested(kind, depth)) == (0, 1)


def nested(kind: str, depth: int) -> dict[str, Any]:
    value: Any = {"S": "x"}
    for _ in range(depth):
        value = {kind: [value] if kind == "L" else {"a": value}}
    return record(new={"orderId": {"S": "o-1"}, "deep": value})


def outcome(one: dict[str, Any]) -> tuple[int, int]:
    """Return how many events and parked items one record causes."""
    publisher, parking = MemoryPublisher(), MemoryParking()
    forwarder = Forwarder(mappers={"orders": (counted,)}, publisher=publisher, parking=parking)
    assert streamed(StreamForwarder(forwarder=forwarder), [one], forever) is None
    return len(publisher.entries), len(parking.parked)
