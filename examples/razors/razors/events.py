"""The events of this project and their mappers."""

from typing import Any

from tailrace import Change, DomainEvent, Mappers, Time


class SubscriptionCreated(DomainEvent, source="razors.subscriptions"):
    """A customer subscribed: so many units of a product every month, until further notice."""

    subscription_id: str
    product_id: str
    units_a_month: int
    created_at: Time


class SubscriptionCancelled(DomainEvent, source="razors.subscriptions"):
    """A subscription has ended."""

    subscription_id: str
    cancelled_at: Time


class PaymentCreated(DomainEvent, source="razors.payments"):
    """The direct debit for a subscription was set up."""

    payment_id: str
    subscription_id: str
    created_at: Time


class PaymentCancelled(DomainEvent, source="razors.payments"):
    """The customer cancelled the direct debit; nothing more will be collected."""

    payment_id: str
    subscription_id: str
    cancelled_at: Time


class OrderChanged(DomainEvent, source="razors.orders"):
    """An order was stored or removed. ``patch`` is the JSON Patch from the order before to the order after."""

    order_id: str
    operation: str
    order: dict[str, Any] | None
    patch: list[dict[str, Any]]


def subscription_created(change: Change) -> SubscriptionCreated | None:
    """A subscription was put into its table for the first time."""
    if not change.created or not (item := change.after):
        return None
    return SubscriptionCreated(
        subscription_id=item["subscriptionId"],
        product_id=item["productId"],
        units_a_month=item["unitsAMonth"],
        created_at=change.occurred_at,
    )


def subscription_cancelled(change: Change) -> SubscriptionCancelled | None:
    """A subscription's status became ``cancelled``."""
    if not change.became("status", "cancelled"):
        return None
    return SubscriptionCancelled(subscription_id=key(change), cancelled_at=change.occurred_at)


def payment_created(change: Change) -> PaymentCreated | None:
    """A payment was inserted."""
    if not change.created or not (document := change.after):
        return None
    subscription = document["subscriptionId"]
    return PaymentCreated(payment_id=key(change), subscription_id=subscription, created_at=change.occurred_at)


def payment_cancelled(change: Change) -> PaymentCancelled | None:
    """A payment's status became ``cancelled``. Its subscription never changes, so that of the looked-up document is right."""
    if not change.became("status", "cancelled", assume_new=True) or not (document := change.full_document):
        return None
    subscription = document["subscriptionId"]
    return PaymentCancelled(payment_id=key(change), subscription_id=subscription, cancelled_at=change.occurred_at)


def order_changed(change: Change) -> OrderChanged:
    """Every change of the table."""
    return OrderChanged(order_id=key(change), operation=change.operation_type, order=change.after, patch=change.diff())


def key(change: Change) -> str:
    return str(change.document_key["_id"])


MAPPERS: Mappers = {
    "razors-subscriptions": (subscription_created, subscription_cancelled),  # a DynamoDB table
    "razors-orders": (order_changed,),  # another
    "payments": (payment_created, payment_cancelled),  # a collection
}
