"""The events of an instalment, one month's payment. The payment service writes them into its outbox."""

from datetime import date

from tailrace import DomainEvent, Mappers
from tailrace.mappers import Outbox


class InstalmentCollected(DomainEvent, source="app.payments", about="payment_id"):
    """One month's direct debit was collected. ``amount`` is a decimal number as text, such as "12.50"."""

    payment_id: str
    amount: str
    currency: str
    due_on: date


class InstalmentFailed(DomainEvent, source="app.payments", about="payment_id"):
    """The customer's bank refused one month's direct debit. The payment service will try again."""

    payment_id: str
    reason: str
    due_on: date


MAPPERS: Mappers = {"payments.outbox": (Outbox(InstalmentCollected, InstalmentFailed),)}
