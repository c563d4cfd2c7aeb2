"""The mappers, on changes as each database reports them."""

import pytest

from razors.events import MAPPERS, PaymentCancelled
from tailrace import Change
from tailrace.testing import ChangeStream, documentdb, dynamodb, events_of, mongodb
from tailrace.testing.snapshots import EventSnapshot

PAYMENT = {"_id": "p-1", "subscriptionId": "sub-1", "status": "created"}
SUBSCRIPTION = {"subscriptionId": "sub-1", "productId": "razor", "unitsAMonth": 1, "customer": "Ada", "status": "active"}
CANCELLED = {"status": "cancelled"}

CHANGES = {
    "subscription-created": dynamodb("razors-subscriptions", "subscriptionId").insert(SUBSCRIPTION),
    "subscription-cancelled": dynamodb("razors-subscriptions", "subscriptionId").update(SUBSCRIPTION, CANCELLED),
    "payment-cancelled": mongodb("payments.payments").update(PAYMENT, CANCELLED),
    "order-stored-again": dynamodb("razors-orders", "orderId").replace({"orderId": "o-1", "total": 12.5}, {"total": 15}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_change_is_published(change: Change, event_snapshot: EventSnapshot) -> None:
    """As other teams will read it; nothing of a customer is in it."""
    events = events_of(MAPPERS, change)
    assert "Ada" not in repr(events)
    event_snapshot.check(events)


@pytest.mark.parametrize("payments", [mongodb("payments.payments"), documentdb("payments.payments")])
def test_replaced_payment_is_cancelled(payments: ChangeStream) -> None:
    """Even where the server sends no pre-image: a repeated event is better than a parked one."""
    [event] = events_of(MAPPERS, payments.replace(PAYMENT, PAYMENT | CANCELLED))
    assert isinstance(event.data, PaymentCancelled)
