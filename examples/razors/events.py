"""The events of this example and their mappers. ``FORWARDER_MAPPERS`` names the table at the end."""

from lambda_forwarder.mappings.data_changes import data_changed
from tailrace import Change, DomainEvent, Mappers, Time


class SubscriptionCreated(DomainEvent, source="razors.subscriptions"):
    """A customer subscribed: so many units of a product every month, until further notice."""

    subscription_id: str
    product_id: str
    units_a_month: int
    created_at: Time


def subscription_created(change: Change) -> SubscriptionCreated | None:
    """A subscription was put into its table for the first time."""
    if not change.created:
        return None
    item = change.after or {}
    return SubscriptionCreated(
        subscription_id=item["subscriptionId"],
        product_id=item["productId"],
        units_a_month=item["unitsAMonth"],
        created_at=change.occurred_at,
    )


class SubscriptionCancelled(DomainEvent, source="razors.subscriptions"):
    """A subscription has ended."""

    subscription_id: str
    cancelled_at: Time


def subscription_cancelled(change: Change) -> SubscriptionCancelled | None:
    """A subscription's status became ``cancelled``."""
    if not change.became("status", "cancelled"):
        return None
    return SubscriptionCancelled(subscription_id=str(change.document_key["_id"]), cancelled_at=change.occurred_at)


class PaymentCreated(DomainEvent, source="razors.payments"):
    """The direct debit for a subscription was set up."""

    payment_id: str
    subscription_id: str
    created_at: Time


def payment_created(change: Change) -> PaymentCreated | None:
    """A payment was inserted."""
    if not change.created:
        return None
    document = change.after or {}
    return PaymentCreated(
        payment_id=str(change.document_key["_id"]), subscription_id=document["subscriptionId"], created_at=change.occurred_at
    )


class PaymentCancelled(DomainEvent, source="razors.payments"):
    """The customer cancelled the direct debit; nothing more will be collected."""

    payment_id: str
    subscription_id: str
    cancelled_at: Time


def payment_cancelled(change: Change) -> PaymentCancelled | None:
    """A payment's status became ``cancelled``. Its subscription never changes, so the looked-up document tells it."""
    if not change.became("status", "cancelled", assume_new=True):
        return None
    document = change.full_document or {}
    return PaymentCancelled(
        payment_id=str(change.document_key["_id"]), subscription_id=document["subscriptionId"], cancelled_at=change.occurred_at
    )


MAPPERS: Mappers = {
    "razors-subscriptions": (subscription_created, subscription_cancelled),  # a DynamoDB table
    "razors-orders": (data_changed,),  # another
    "payments": (payment_created, payment_cancelled),  # a collection
}
