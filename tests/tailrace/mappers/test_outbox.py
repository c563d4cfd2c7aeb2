"""The outbox: which documents become events."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from lambda_forwarder.model.entry import entry
from tailrace.change import Change
from tailrace.events import DomainEvent, Time
from tailrace.mappers.outbox import Outbox, OutboxError
from tailrace.wire.change import Namespace
from tests.lambda_forwarder.values import message
from tests.samples.changes import a_change


class Shipped(DomainEvent, source="app.tests", about="order_id"):
    """An order was shipped."""

    order_id: str
    parcels: int
    shipped_at: Time


class Unkeyed(DomainEvent, source="app.tests"):
    """An event without a key."""


outbox = Outbox(Shipped)
PAYLOAD = {"orderId": "o-1", "parcels": 2, "shippedAt": "2026-11-22T07:00:00Z"}


def outbox_insert(number: int = 1, **fields: Any) -> Change:
    document = {"_id": number, "type": "Shipped", "key": "o-1", "payload": PAYLOAD} | fields
    return a_change(number, ns=Namespace(db="shop", coll="outbox"), full_document=document)


def test_outbox_document_becomes_the_event_of_its_type() -> None:
    event = outbox(outbox_insert())
    assert isinstance(event, Shipped)
    assert (event.order_id, event.parcels) == ("o-1", 2)


def test_events_of_a_key_keep_their_order() -> None:
    """The event's document is the key, because every outbox document is new."""
    entries = []
    for number in (1, 2):
        event = outbox(outbox_insert(number))
        assert event is not None
        entries.append(entry(event, change=outbox_insert(number), message=message(outbox_insert(number))))
    assert [told.document for told in entries] == ["shop.outbox/o-1"] * 2
    assert msgspec.json.decode(entries[0].detail)["metadata"]["document"] == "shop.outbox/o-1"
    assert entries[0].id != entries[1].id


@pytest.mark.parametrize("operation", ["update", "replace", "delete", "drop"])
def test_only_an_insert_becomes_an_event(operation: str) -> None:
    """Neither a delete, by TTL or by hand, nor an update does."""
    assert outbox(replace(outbox_insert(), operation_type=operation)) is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"type": "Lost"}, "has no event of the type 'Lost'"),
        ({"type": "DomainEvent"}, "has no event of the type"),
        ({"payload": PAYLOAD | {"parcels": "two"}}, "parcels"),
        ({"payload": {"orderId": "o-1"}}, "parcels"),
        ({"payload": PAYLOAD | {"shippedAt": "2026-11-22T07:00:00"}}, "shippedAt"),
        ({"payload": PAYLOAD | {"carrier": "x"}}, r"no fields \['carrier'\]"),
        ({"key": "o-2"}, "key"),
    ],
)
def test_invalid_outbox_document_is_an_error(fields: dict[str, Any], reason: str) -> None:
    """An unknown type, an invalid payload, an unknown field, or another key. It is parked."""
    with pytest.raises((OutboxError, msgspec.ValidationError), match=reason):
        outbox(outbox_insert(**fields))


@pytest.mark.parametrize("missing", ["type", "key", "payload"])
def test_outbox_document_without_a_field_names_the_field(missing: str) -> None:
    document = {name: value for name, value in (outbox_insert().full_document or {}).items() if name != missing}
    with pytest.raises(KeyError, match=missing):
        outbox(replace(outbox_insert(), full_document=document))


def test_outbox_event_needs_a_key_and_a_unique_name() -> None:
    """This is checked when the table is created."""
    with pytest.raises(TypeError, match="Unkeyed"):
        Outbox(Unkeyed)
    with pytest.raises(TypeError, match="needs a unique name"):
        Outbox(Shipped, Shipped)


def test_outbox_is_named_after_its_events() -> None:
    """A parked item has this name as its mapper."""
    assert repr(outbox) == "Outbox(Shipped)"
