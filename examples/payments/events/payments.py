"""
The events of a payment: a customer's direct debit for one subscription.

The document of a payment has ``_id``, ``subscriptionId``, ``accountNumber``, ``status`` ("created" or "cancelled"), ``created``
and ``updated``. No event contains the account number: an event cannot be taken back, its readers and archives are unknown in
advance, and no consumer needs the number. A service that may see it gets it from the payment service, by ``paymentId``. All
times are commit times.
"""

from tailrace import Change, DomainEvent, Mappers, Time, remembers


class PaymentCreated(DomainEvent, source="app.payments"):
    """A customer set up a direct debit for a subscription."""

    payment_id: str
    subscription_id: str
    created_at: Time


def payment_created(change: Change) -> PaymentCreated | None:
    """A payment was inserted. An insert without ``subscriptionId`` is parked."""
    if not change.created:
        return None
    return PaymentCreated(
        payment_id=str(change.document_key["_id"]),
        subscription_id=(change.full_document or {})["subscriptionId"],
        created_at=change.occurred_at,
    )


class PaymentCancelled(DomainEvent, source="app.payments"):
    """
    The customer's direct debit was cancelled; nothing more will be collected.

    ``subscriptionId`` is null if the payment was deleted before its document could be looked up. The earlier ``PaymentCreated``
    with this ``paymentId`` has it.
    """

    payment_id: str
    subscription_id: str | None
    cancelled_at: Time


@remembers("status")
def payment_cancelled(change: Change) -> PaymentCancelled | None:
    """
    A payment's status became ``cancelled``.

    A cancellation is final, so a later state of the document shows it too, and a repeat does no harm. If the status before a
    replace is unknown, this event may be published again. ``subscriptionId`` never changes, so it is the same in the looked-up
    document, even if that is newer than the change.
    """
    if not change.became("status", "cancelled", assume_new=True, assume_current=True):
        return None
    document = change.full_document or change.full_document_before_change or {}
    return PaymentCancelled(
        payment_id=str(change.document_key["_id"]),
        subscription_id=document.get("subscriptionId"),
        cancelled_at=change.occurred_at,
    )


MAPPERS: Mappers = {"payments": (payment_created, payment_cancelled)}
