"""
The events of a payment: a customer's direct debit for one subscription.

A payment's document has ``_id``, ``subscriptionId``, ``accountNumber``, ``status`` ("created" or "cancelled"), ``created``
and ``updated``. The account number stays out of every event: a bus has readers and archives that nobody can name in
advance, an event cannot be taken back, and no consumer needs it to act. Who may see it asks the payment service by
``paymentId``. Times are the commit's own, so an event cannot disagree with the database about when.
"""

from tailrace import Change, DomainEvent, Mappers, Time


class PaymentCreated(DomainEvent, source="app.payments"):
    """A customer set up a direct debit for a subscription."""

    payment_id: str
    subscription_id: str
    created_at: Time


def payment_created(change: Change) -> PaymentCreated | None:
    """A payment was inserted. An insert carries its document, so one without ``subscriptionId`` is parked."""
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

    ``subscriptionId`` is null when the payment was deleted before its document could be looked up: the cancellation is
    told all the same, and ``paymentId`` leads to the subscription through the earlier ``PaymentCreated``.
    """

    payment_id: str
    subscription_id: str | None
    cancelled_at: Time


def payment_cancelled(change: Change) -> PaymentCancelled | None:
    """
    A payment's status became ``cancelled``.

    A cancellation is final, so it does no harm to hear of it again after a replace that does not tell what was there before.
    Only ``subscriptionId`` is read from the looked-up document: it never changes, so a later state tells it as well.
    """
    if not change.became("status", "cancelled", assume_new=True):
        return None
    document = change.full_document or change.full_document_before_change or {}
    return PaymentCancelled(
        payment_id=str(change.document_key["_id"]),
        subscription_id=document.get("subscriptionId"),
        cancelled_at=change.occurred_at,
    )


MAPPERS: Mappers = {"payments": (payment_created, payment_cancelled)}
