"""A consumer reads events as values of its own classes, from whatever delivered them."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace import DomainEvent
from tailrace.consuming import Event, Events, NotAnEvent, UnknownEvent
from tailrace.wire.change import Claim
from tests.tailrace.consuming.values import DATA, ID, PaymentCancelled, PaymentCreated, delivered, detail, metadata, record

EVENTS = Events(PaymentCancelled, PaymentCreated)
EXPECTED = PaymentCancelled(payment_id="p-1", cancelled_at=datetime(2026, 11, 22, 7, 23, 46, 107_000, tzinfo=UTC))


def received(*bodies: dict[str, Any]) -> dict[str, Any]:
    """A response of ReceiveMessage."""
    return {"Messages": [{"MessageId": "m", "ReceiptHandle": "r", "Body": json.dumps(body)} for body in bodies]}


def test_every_form_of_delivery_gives_the_same_event() -> None:
    """EventBridge to Lambda, a queue to Lambda, ReceiveMessage, and the body by itself as text, as bytes or decoded."""
    one = delivered()
    payloads = [one, {"Records": [record(one)]}, received(one)]
    events = [event for payload in payloads for event in EVENTS.of(payload)]
    events += [EVENTS.read(json.dumps(one)), EVENTS.read(json.dumps(one).encode()), EVENTS.read(one)]
    assert len(events) == 6
    assert {event.id for event in events} == {ID}
    assert all(event == events[0] for event in events)
    assert events[0].data == EXPECTED


def test_event_has_the_metadata_that_its_producer_wrote() -> None:
    event = EVENTS.read(delivered(late=True, traceparent="00-1"))
    assert (event.name, event.source, event.document) == ("PaymentCancelled", "app.payments", "payments.payments/p-1")
    assert event.position == (1_795_330_000, 4711)
    assert event.occurred_at == EXPECTED.cancelled_at
    assert (event.metadata.late, event.metadata.traceparent, event.replay) == (True, "00-1", "")


def test_event_of_an_archive_names_its_replay() -> None:
    assert EVENTS.read(delivered() | {"replay-name": "again"}).replay == "again"


def test_batch_keeps_its_order() -> None:
    bodies = [delivered(sequence=number) for number in (1, 2, 3)]
    assert [event.position[1] for event in EVENTS.of({"Records": [record(body) for body in bodies]})] == [1, 2, 3]


def test_empty_response_has_no_events() -> None:
    assert EVENTS.of({"ResponseMetadata": {"HTTPStatusCode": 200}}) == []


def test_without_classes_every_event_is_read_as_it_is() -> None:
    event: Event[dict[str, Any]] = Events().read(delivered(name="SomethingElse"))
    assert (event.name, event.data) == ("SomethingElse", DATA)


def test_detail_alone_is_read_with_one_class() -> None:
    """A field called detail inside the data does not make it an event of EventBridge."""
    body = detail(DATA | {"detail": {}, "source": "x"})
    [event] = Events(PaymentCancelled).of({"Records": [record(body)]})
    assert (event.name, event.source, event.data) == ("PaymentCancelled", "app.payments", EXPECTED)
    assert Events(PaymentCancelled).of(body) == [event]
    with pytest.raises(UnknownEvent, match="remove the InputPath"):
        EVENTS.read(body)


@pytest.mark.parametrize(
    "body",
    [delivered(name="PaymentRefunded"), delivered() | {"source": "app.others"}, delivered(version="2")],
    ids=["name", "source", "version"],
)
def test_event_of_another_name_source_or_version_is_refused(body: dict[str, Any]) -> None:
    """It is not read with a class that may mean something else. The error names both."""
    with pytest.raises(UnknownEvent, match=r"PaymentCancelled version 1 of app\.payments.*narrow the rule, or add the class"):
        EVENTS.read(body)


def test_two_versions_of_an_event_each_have_a_class() -> None:
    """While the producer moves from one to the other."""
    first = PaymentCancelled

    def newer() -> type[DomainEvent]:
        class PaymentCancelled(DomainEvent, source="app.payments", version="2"):
            """With other fields."""

        return PaymentCancelled

    second = newer()
    events = Events(first, second)
    assert [type(events.read(delivered(version=version)).data) for version in "12"] == [first, second]


def test_class_that_is_no_event_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match=r"derive it from tailrace\.DomainEvent"):
        Events(dict)


def test_data_in_s3_is_fetched() -> None:
    claim = {"bucket": "claims", "key": "k", "bytes": 3, "sha256": "0" * 64}
    body = delivered({"metadata": metadata(), "claim": claim})

    def fetch(asked: Claim) -> bytes:
        assert asked == Claim(bucket="claims", key="k", bytes=3, sha256="0" * 64)
        return json.dumps(DATA).encode()

    assert Events(PaymentCancelled, claims=fetch).read(body).data == EXPECTED
    with pytest.raises(NotAnEvent, match=r"Events\(claims=…\)"):
        EVENTS.read(body)


HOSTILE: dict[str, tuple[Any, str]] = {
    "empty": ("", "not JSON|not an event"),
    "no JSON": ("hello", "not an event"),
    "a list": ("[]", "Expected `object`"),
    "no character": ("\ud800", "not JSON"),
    "a lone surrogate in a value": ({"detail": "\ud800"}, "not JSON"),
    "no JSON value": ({"detail": object()}, "not JSON|Expected `object`"),
    "nested": ("[" * 100_000, "nested"),
    "nested in the data": (json.dumps(detail()).replace('"p-1"', '{"a":' * 300 + "1" + "}" * 300), "nested"),
    "too large": (delivered() | {"more": "x" * 1_048_576}, r"the limit is 1048576"),
    "no detail-type": ({"source": "app.payments", "detail": detail()}, "no detail-type"),
    "detail is text": (delivered("hello"), "Expected `object`"),
    "no metadata": (delivered({"data": {}}), "metadata"),
    "no data": (delivered({"metadata": metadata()}), "neither data nor a claim"),
    "data is a list": (delivered(detail([])), "the data of PaymentCancelled"),
    "data of another type": (delivered(detail(DATA | {"paymentId": 5})), r"paymentId"),
    "id is empty": (delivered(id=""), r"metadata\.id"),
    "id is no UUID": (delivered(id="x' OR 1=1"), r"metadata\.id"),
    "id is a number": (delivered(id=5), r"metadata\.id"),
    "no document": (delivered(document=""), "document is empty"),
    "long document": (delivered(document="é" * 1_000), "more than 2000 bytes"),
    "negative": (delivered(sequence=-1), "sequence"),
    "beyond int64": (delivered(generation=2**63), "generation"),
    "a fraction": (delivered(sequence=1.5), "sequence"),
    "no time": (delivered(occurredAt="yesterday"), "occurredAt"),
    "a time without an offset": (delivered(occurredAt="2026-11-22T07:23:46"), "occurredAt"),
    "a version beyond text": (delivered(version=1), "version"),
    "control characters in the name": (delivered(name="\x1b[2J\u202e"), r"\\u001b\[2J\\u202e"),
}


@pytest.mark.parametrize(("body", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_body_is_refused_with_its_reason(body: Any, reason: str) -> None:
    """As text and as a decoded payload; the error is printable, short, and does not quote the data."""
    bodies = [body] if isinstance(body, str) else [body, json.dumps(body, default=str)]
    for one in bodies:
        if body == {"detail": "\ud800"} and isinstance(one, str):
            continue  # json.dumps escapes it: valid JSON, whose detail is text
        with pytest.raises(NotAnEvent, match=reason) as refused:
            EVENTS.read(one)
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) < 500
        assert "p-1" not in str(refused.value)


@pytest.mark.parametrize(
    "payload",
    [{}, {"Records": [{"dynamodb": {}}]}, {"Records": [5]}, {"Messages": [{}]}, {"Records": [{"messageId": "m", "body": 5}]}],
)
def test_payload_of_another_service_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(NotAnEvent, match=r"payload|response"):
        EVENTS.of(payload)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.data())
def test_any_change_of_an_event_is_read_or_refused(data: st.DataObject) -> None:
    """A sender can put any value anywhere. What is read has an id, a position and a document that fit into a table's key."""
    body = delivered()
    place = data.draw(st.sampled_from([body, body["detail"], body["detail"]["metadata"], body["detail"]["data"]]))
    place[data.draw(st.sampled_from([*place, "detail", "metadata"]))] = data.draw(ANY)
    with suppress(NotAnEvent):
        event = EVENTS.read(body)
        assert isinstance(event.data, PaymentCancelled)
        assert UUID(event.id)
        assert all(0 <= number < 2**63 for number in event.position)
        assert 0 < len(event.document.encode()) < 2_048
