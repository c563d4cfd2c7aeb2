"""A test of a mapper sees what the forwarder would publish, or why it would publish nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lambda_forwarder.dynamodb.expiry import expired
from lambda_forwarder.mapping.events import map_changes
from tailrace import Change, DomainEvent, Mappers, Time, Uncertain
from tailrace.consuming import Events
from tailrace.message import ChangeMessage
from tailrace.testing import NotPublished, documentdb, dynamodb, eventbridge, events_of, mongodb, published, sqs


class OrderPaid(DomainEvent, source="shop.orders"):
    """The customer paid."""

    order_id: str
    paid_at: Time


class OrderMoved(DomainEvent, source="shop.orders", about="customer", version="3"):
    """The order goes to another address."""

    customer: str
    address: Any


def order_paid(change: Change) -> OrderPaid | None:
    if not change.became("status", "paid"):
        return None
    return OrderPaid(order_id=str(change.document_key["_id"]), paid_at=change.occurred_at)


def order_moved(change: Change) -> list[OrderMoved]:
    if not change.changed("address"):
        return []
    document = change.full_document or {}
    return [OrderMoved(customer=document["customer"], address=address) for address in document["address"]]


MAPPERS: Mappers = {"orders": (order_paid, order_moved), "audit": ()}
PLACED = {"_id": "o-1", "status": "placed", "customer": "Ada", "address": []}
AT = datetime(2026, 11, 22, 7, 1, 30, 456_000, tzinfo=UTC)


def test_event_has_the_ids_and_metadata_that_the_forwarder_writes() -> None:
    """To the last field, also for several events of one change."""
    change = mongodb("shop.orders").update(PLACED, {"status": "paid", "address": ["a", "b"]}, at=AT)
    events = events_of(MAPPERS, change)
    message = ChangeMessage(stream="shop", generation=1, lane=0, changes=(change,))
    entries, parked = map_changes(message, MAPPERS)
    assert not parked
    read = Events(OrderPaid, OrderMoved).read
    assert events == [
        read({"detail-type": entry.detail_type, "source": entry.source, "detail": json.loads(entry.detail)})
        for entry in entries
    ]
    assert events[0].data == OrderPaid(order_id="o-1", paid_at=AT)
    assert [event.document for event in events] == ["shop.orders/o-1", "shop.orders/Ada", "shop.orders/Ada"]
    assert len({event.id for event in events}) == 3


def test_mapper_that_returns_none_publishes_nothing() -> None:
    """As does a collection with an entry and no mappers."""
    assert events_of({"orders": (order_paid,)}, mongodb("shop.orders").insert(PLACED)) == []
    assert events_of(MAPPERS, mongodb("shop.audit").insert({"_id": 1})) == []


def test_uncertain_is_raised() -> None:
    """On a server that does not send enough, where the forwarder would park the change."""
    paid = PLACED | {"status": "paid"}
    assert events_of(MAPPERS, documentdb("shop.orders").update(PLACED, {"status": "paid"}))
    with pytest.raises(Uncertain, match="no update description"):
        events_of(MAPPERS, documentdb("shop.orders", described=False).update(PLACED, {"status": "paid"}))
    with pytest.raises(Uncertain, match="pre-image"):
        events_of(MAPPERS, mongodb("shop.orders").replace(PLACED, paid))
    images = mongodb("shop.orders", full_document_before_change="required")
    assert [event.name for event in events_of(MAPPERS, images.replace(PLACED, paid))] == ["OrderPaid"]


def test_error_of_a_mapper_is_raised_as_it_is() -> None:
    with pytest.raises(KeyError, match="customer"):
        events_of(MAPPERS, mongodb("shop.orders").insert({"_id": 1, "address": ["a"]}))


def test_collection_without_a_mapper_fails_the_test() -> None:
    """With the key that was probably meant. The forwarder would count the change and publish nothing."""
    with pytest.raises(NotPublished, match=r"no mapper reads shop\.order \(did you mean the key 'orders'\?\)"):
        events_of(MAPPERS, mongodb("shop.order").insert(PLACED))


def test_event_that_the_bus_refuses_fails_the_test() -> None:
    change = mongodb("shop.orders").insert(PLACED)

    def mapper(_: Change) -> OrderMoved:
        return OrderMoved(customer="Ada", address=2**80)

    with pytest.raises(NotPublished, match="beyond int64"):
        events_of({"orders": (mapper,)}, change)


def test_table_is_mapped_by_its_name() -> None:
    """Its stream is called dynamodb.TABLE, as in production."""
    change = dynamodb("orders", "orderId").update({"orderId": "o-1", "status": "placed"}, {"status": "paid"})
    [event] = events_of({"orders": (order_paid,)}, change)
    assert (event.metadata.stream, event.document, event.position) == ("dynamodb.orders", "dynamodb.orders/o-1", (1, 1))


def test_source_of_the_forwarder_replaces_that_of_the_class() -> None:
    [event] = events_of(MAPPERS, mongodb("shop.orders").update(PLACED, {"status": "paid"}), source="shop.test")
    assert event.source == "shop.test"
    assert event.data == OrderPaid(order_id="o-1", paid_at=event.occurred_at)


def test_consumer_gets_an_event_without_a_mapper() -> None:
    """Of any position; the same event in another generation is a repeat."""
    event = OrderPaid(order_id="o-1", paid_at=AT)
    first, again, other = published(event), published(event, generation=2, late=True), published(event, sequence=2)
    assert (first.id == again.id, first.id == other.id) == (True, False)
    assert (again.position, again.metadata.late, other.position) == ((2, 1), True, (1, 2))
    assert (first.data, first.document) == (event, "shop.orders/o-1")


def test_deliveries_are_read_as_the_event_that_they_carry() -> None:
    """By EventBridge, in a standard queue and in a FIFO queue."""
    event, reader = published(OrderPaid(order_id="o-1", paid_at=AT), document="shop.orders/o-1"), Events(OrderPaid)
    for payload in (eventbridge(event), sqs(event), sqs(event, group="a")):
        assert reader.of(payload) == [event]
    assert len({record["messageId"] for record in sqs(event, event)["Records"]}) == 2


@pytest.mark.parametrize(
    ("fields", "removed", "reason"),
    [
        ({"status": "placed"}, [], "changes nothing"),
        ({}, ["missing"], "changes nothing"),
        ({"status.text": 1}, [], "leads through a value that is no object"),
        ({"address.city": 1}, [], "leads through a value that is no object"),
        ({"address": 1, "address.0": 1}, [], "conflict"),
        ({"status": 1}, ["status"], "conflict"),
    ],
)
def test_update_that_the_server_would_not_report_is_refused(fields: dict[str, Any], removed: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        mongodb("shop.orders").update(PLACED, fields, removed)


def test_mistakes_in_a_builder_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'orders' is not database\.collection"):
        mongodb("orders")
    with pytest.raises(ValueError, match="no _id"):
        mongodb("shop.orders").insert({})
    with pytest.raises(ValueError, match="_id of a document never changes"):
        mongodb("shop.orders").update(PLACED, {"_id": "o-2"})
    with pytest.raises(ValueError, match="_id of a document never changes"):
        mongodb("shop.orders").replace(PLACED, {"_id": "o-2"})
    with pytest.raises(ValueError, match="key of an item never changes"):
        dynamodb("orders", "orderId").replace({"orderId": 1}, {"orderId": 2})
    with pytest.raises(ValueError, match="no UTC offset"):
        mongodb("shop.orders").insert(PLACED, at=datetime(2026, 1, 1))  # noqa: DTZ001 - on purpose
    with pytest.raises(TypeError, match="stores no datetime"):
        dynamodb("orders", "orderId").insert({"orderId": AT})


def test_changes_of_one_builder_are_numbered_and_the_same_in_every_run() -> None:
    """Other builders give other ids."""
    one, again, other = mongodb("shop.orders"), mongodb("shop.orders"), mongodb("shop.refunds")
    changes = [one.insert({"_id": 1}), one.insert({"_id": 1})]
    assert [change.sequence for change in changes] == [1, 2]
    assert changes == [again.insert({"_id": 1}), again.insert({"_id": 1})]
    assert len({change.id for change in [*changes, other.insert({"_id": 1})]}) == 3


def test_expired_item_is_told_from_a_deleted_one() -> None:
    table = dynamodb("orders", "tenant", "orderId")
    item = {"tenant": "t", "orderId": 1}
    assert [expired(table.delete(item)), expired(table.delete(item, expired=True))] == [False, True]
    assert table.insert(item).document == 'dynamodb.orders/{"orderId":1,"tenant":"t"}'
