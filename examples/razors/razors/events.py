"""The events of this project and their mappers."""

from tailrace import Change, DomainEvent, Mappers
from tailrace.mappers.data_changes import data_changed


class SubscriptionCreated(DomainEvent, source="razors.subscriptions"):
    """A customer subscribed: so many units of a product every month, until further notice."""

    subscription_id: str
    product_id: str
    units_a_month: int


class SubscriptionCancelled(DomainEvent, source="razors.subscriptions"):
    """A subscription has ended."""

    subscription_id: str


class PaymentCancelled(DomainEvent, source="razors.payments"):
    """The customer cancelled the direct debit; nothing more will be collected."""

    payment_id: str
    subscription_id: str


def subscription_created(change: Change) -> SubscriptionCreated | None:
    """A subscription was put into its table for the first time."""
    if not change.created or not (item := change.after):
        return None
    return SubscriptionCreated(
        subscription_id=item["subscriptionId"], product_id=item["productId"], units_a_month=item["unitsAMonth"]
    )


def subscription_cancelled(change: Change) -> SubscriptionCancelled | None:
    """A subscription's status became ``cancelled``."""
    return SubscriptionCancelled(subscription_id=change.document_key["_id"]) if change.became("status", "cancelled") else None


def payment_cancelled(change: Change) -> PaymentCancelled | None:
    """A payment's status became ``cancelled``. Its subscription never changes, so that of the looked-up document is right."""
    if not change.became("status", "cancelled", assume_new=True) or not (payment := change.full_document):
        return None
    return PaymentCancelled(payment_id=str(change.document_key["_id"]), subscription_id=payment["subscriptionId"])


MAPPERS: Mappers = {
    "razors-subscriptions": (subscription_created, subscription_cancelled),  # a DynamoDB table
    "razors-orders": (data_changed,),  # another: every change, with the complete order and a patch
    "payments": (payment_cancelled,),  # a collection
}
