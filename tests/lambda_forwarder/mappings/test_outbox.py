"""The outbox: what a document in it must be to become an event."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from lambda_forwarder.mappings.outbox import Outbox, OutboxError
from lambda_forwarder.model.entry import entry
from tailrace.change import Change
from tailrace.events import DomainEvent, Time
from tailrace.wire.change import Namespace
from tests.lambda_forwarder.values import message
from tests.samples.changes import a_change


class Shipped(DomainEvent, source="app.tests", about="order_id"):
    """An order left the house."""

    order_id: str
    parcels: int
    shipped_at: Time


class Unkeyed(DomainEvent, source="app.tests"):
    """Nobody knows what this is about."""


outbox = Outbox(Shipped)
PAYLOAD = {"orderId": "o-1", "parcels": 2, "shippedAt": "2026-11-22T07:00:00Z"}


def written(number: int = 1, **fields: Any) -> Change:
    document = {"_id": number, "type": "Shipped", "key": "o-1", "payload": PAYLOAD} | fields
    return a_change(number, ns=Namespace(db="shop", coll="outbox"), full_document=document)


def test_what_is_written_is_told() -> None:
    """The class of its type, with the payload's fields."""
    event = outbox(written())
    assert isinstance(event, Shipped)
    assert (event.order_id, event.parcels) == ("o-1", 2)


def test_events_of_a_key_keep_their_order() -> None:
    """They are about the key, not about the outbox's own documents, which are new each time."""
    entries = []
    for number in (1, 2):
        event = outbox(written(number))
        assert event is not None
        entries.append(entry(event, change=written(number), message=message(written(number))))
    assert [told.document for told in entries] == ["shop.outbox/o-1"] * 2
    assert msgspec.json.decode(entries[0].detail)["metadata"]["document"] == "shop.outbox/o-1"
    assert entries[0].id != entries[1].id


@pytest.mark.parametrize("operation", ["update", "replace", "delete", "drop"])
def test_only_writing_tells(operation: str) -> None:
    """A clean-up, by TTL or by hand, and a mark set on a document tell nothing."""
    assert outbox(replace(written(), operation_type=operation)) is None


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
def test_what_is_no_registered_event_is_an_error(fields: dict[str, Any], reason: str) -> None:
    """An unknown type, a payload that is not its class's, a field that would be lost, another key: parked, with the reason."""
    with pytest.raises((OutboxError, msgspec.ValidationError), match=reason):
        outbox(written(**fields))


@pytest.mark.parametrize("missing", ["type", "key", "payload"])
def test_a_document_without_its_fields_is_an_error(missing: str) -> None:
    """The field is named."""
    document = {name: value for name, value in (written().full_document or {}).items() if name != missing}
    with pytest.raises(KeyError, match=missing):
        outbox(replace(written(), full_document=document))


def test_an_event_of_an_outbox_says_what_it_is_about() -> None:
    """Told when the table is made, not when the first document arrives; so is a name that two events have."""
    with pytest.raises(TypeError, match="Unkeyed"):
        Outbox(Unkeyed)
    with pytest.raises(TypeError, match="needs a unique name"):
        Outbox(Shipped, Shipped)


def test_an_outbox_is_named_by_its_events() -> None:
    """As a parked item names the mapper."""
    assert repr(outbox) == "Outbox(Shipped)"
