"""What a record may leave out, or write in another form, is read; what cannot be read is parked with the true reason."""

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


def with_image(**fields: Any) -> dict[str, Any]:
    """A record whose stream part has these fields, and not those that are ``...``."""
    told = record()
    told["dynamodb"] = {name: value for name, value in (told["dynamodb"] | fields).items() if value is not ...}
    return told


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in record().items() if key != name}


def forwarded(told: dict[str, Any]) -> tuple[MemoryPublisher, MemoryParking]:
    publisher, parking = MemoryPublisher(), MemoryParking()
    forwarder = Forwarder(mappers={"orders": (counted,)}, publisher=publisher, parking=parking)
    assert streamed(StreamForwarder(forwarder=forwarder), [told], forever) is None
    return publisher, parking


@pytest.mark.parametrize("form", TIMES)
def test_a_time_is_read_in_every_form(form: str) -> None:
    """To the millisecond where it says that much; where it says nothing, the change is dated by its arrival."""
    told, expected = TIMES[form]
    publisher, parking = forwarded(with_image(ApproximateCreationDateTime=told))
    assert parking.parked == {}
    [entry] = publisher.entries
    assert entry.time == expected
    assert entry.change.cluster_time == f"{int(expected.timestamp())}.0"


@pytest.mark.parametrize("told", NO_TIMES, ids=lambda told: repr(told)[:20])
def test_what_is_no_time_is_said_so(told: Any) -> None:
    """The reason names the field and no mapper is blamed; the record is parked as it came."""
    with pytest.raises(UnreadableMessage, match=r"ApproximateCreationDateTime is .*not a valid time") as raised:
        read(with_image(ApproximateCreationDateTime=told), ARRIVED)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    "told",
    [
        with_image(SizeBytes=...),
        with_image(SizeBytes="many"),
        with_image(StreamViewType=...),
        with_image(StreamViewType=None),
        with_image(Unheard="of"),
        with_image(ApproximateCreationDateTimePrecision="MILLISECOND"),
        without("eventVersion"),
        without("eventSource"),
        without("awsRegion"),
        record(userIdentity=None),
        record(userIdentity="nobody"),
        record(eventID=None),
        without("eventID"),
    ],
    ids=lambda told: str(sorted(told))[:0],
)
def test_what_may_be_missing_is_not_missed(told: dict[str, Any]) -> None:
    """Nor is it minded in a form of its own."""
    publisher, parking = forwarded(told)
    assert (len(publisher.entries), parking.parked) == (1, {})


def test_a_record_without_an_id_has_its_own_all_the_same() -> None:
    """The same whenever it is read, and another than its neighbours': the stream's and the record's place in it."""

    def named(sequence: int) -> Change:
        told = record(sequence)
        del told["eventID"]
        return read(told, ARRIVED).changes[0]

    assert named(1).id == named(1).id != named(2).id


@pytest.mark.parametrize("names", [("type", "principalId"), ("Type", "PrincipalId")])
def test_what_expired_is_known_in_both_spellings(names: tuple[str, str]) -> None:
    """Lambda's and the API's own."""
    user = dict(zip(names, ("Service", "dynamodb.amazonaws.com"), strict=True))
    told = record(old={"orderId": {"S": "o-1"}}, userIdentity=user)
    assert expired(read(told, ARRIVED).changes[0])


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (without("eventSourceARN"), "eventSourceARN"),
        (record(eventSourceARN="arn:aws:kinesis:eu-west-1:123456789012:stream/orders"), "names no table"),
        (record(eventSourceARN=""), "names no table"),
        (without("eventName"), "eventName"),
        (without("dynamodb"), "dynamodb"),
        (with_image(SequenceNumber=...), "SequenceNumber"),
        (with_image(SequenceNumber="-1"), "sequenceNumber|SequenceNumber"),
        (with_image(Keys=...), "Keys"),
        (with_image(Keys={}), "keys"),
        (with_image(NewImage=...), "INSERT with neither image"),
        (record(eventName="REMOVE"), "REMOVE with the new image"),
        (record(old={"orderId": {"S": "o-1"}}, eventName="MODIFY"), "MODIFY with the old image"),
    ],
)
def test_what_cannot_be_read_is_parked_with_the_true_reason(told: dict[str, Any], reason: str) -> None:
    """As it came; no mapper is blamed, and the record behind it is not held back."""
    publisher, parking = forwarded(told)
    [item] = parking.parked.values()
    assert (publisher.entries, item.mapper) == ([], "")
    assert json.loads(item.body or "") == told
    with pytest.raises(UnreadableMessage, match=reason):
        read(told, ARRIVED)


def test_a_record_that_lambda_could_not_be_told_of_fails_them_all() -> None:
    """A record that is none may have no number; when it cannot be parked, every record comes again."""

    class Away(MemoryParking):
        def park(self, *_: Any) -> None:
            raise Unavailable("the queue is away")

    forwarder = Forwarder(mappers={"orders": (counted,)}, publisher=MemoryPublisher(), parking=Away())
    with pytest.raises(Unavailable):
        streamed(StreamForwarder(forwarder=forwarder), [record(), {"Sns": {}}], forever)


@pytest.mark.parametrize("kind", ["L", "M"])
@pytest.mark.parametrize("depth", [33, 100, 300, 450, 10_000])
def test_a_record_that_is_nested_more_deeply_than_dynamodb_does_is_parked(kind: str, depth: int) -> None:
    """At any depth, and however little of it can be written down. What DynamoDB takes is published."""
    assert outcome(nested(kind, 32)) == (1, 0)
    assert outcome(nested(kind, depth)) == (0, 1)


def nested(kind: str, depth: int) -> dict[str, Any]:
    value: Any = {"S": "x"}
    for _ in range(depth):
        value = {kind: [value] if kind == "L" else {"a": value}}
    return record(new={"orderId": {"S": "o-1"}, "deep": value})


def outcome(one: dict[str, Any]) -> tuple[int, int]:
    """How many events and parked items one record makes."""
    publisher, parking = MemoryPublisher(), MemoryParking()
    forwarder = Forwarder(mappers={"orders": (counted,)}, publisher=publisher, parking=parking)
    assert streamed(StreamForwarder(forwarder=forwarder), [one], forever) is None
    return len(publisher.entries), len(parking.parked)
