"""
The events of a subscription: razors once a month, while the direct debit exists.

The document of a subscription has ``_id``, ``productId``, ``quantity`` (units a month), ``status`` ("active" or "cancelled")
and the customer's name and address. No event contains these two, for the reason given in ``payments``.
"""

from tailrace import Change, DomainEvent, Mappers, Time, remembers


class SubscriptionCreated(DomainEvent, source="app.subscriptions"):
    """A customer subscribed to a product. The stock service allocates it, the payment service sets up the direct debit."""

    subscription_id: str
    product_id: str
    quantity: int
    created_at: Time


def subscription_created(change: Change) -> SubscriptionCreated | None:
    """A subscription was inserted."""
    if not change.created:
        return None
    document = change.after or {}
    return SubscriptionCreated(
        subscription_id=str(change.document_key["_id"]),
        product_id=document["productId"],
        quantity=document["quantity"],
        created_at=change.occurred_at,
    )


class SubscriptionCancelled(DomainEvent, source="app.subscriptions"):
    """A subscription ended; nothing more will be sent."""

    subscription_id: str
    cancelled_at: Time


@remembers("status")
def subscription_cancelled(change: Change) -> SubscriptionCancelled | None:
    """
    A subscription's status became ``cancelled``, which is final. If the status before a replace is unknown, the event may be
    published again.
    """
    if not change.became("status", "cancelled", assume_new=True, assume_current=True):
        return None
    return SubscriptionCancelled(subscription_id=str(change.document_key["_id"]), cancelled_at=change.occurred_at)


MAPPERS: Mappers = {"subscriptions": (subscription_created, subscription_cancelled)}
