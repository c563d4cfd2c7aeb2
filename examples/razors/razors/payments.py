"""The payments domain: a direct debit for every subscription, in MongoDB (in production: DocumentDB)."""

from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError

from razors.events import SubscriptionCreated
from tailrace.consuming import Event


class Payments:
    """One document for each direct debit. It publishes nothing: the tailer reads the database's change stream."""

    def __init__(self, client: "MongoClient[dict[str, Any]]", database: str = "payments") -> None:
        self._client = client
        self._payments = client[database]["payments"]
        self._handled = client[database]["handled"]  # ids of events; in production with a TTL index

    def handle(self, event: Event[SubscriptionCreated]) -> bool:
        """Set up the direct debit for a new subscription. The payment and the note of the event are one transaction."""
        now = datetime.now(UTC)
        payment = {"subscriptionId": event.data.subscription_id, "status": "created", "created": now, "updated": now}
        with self._client.start_session() as session, session.start_transaction():
            try:
                self._handled.insert_one({"_id": event.id, "at": now}, session=session)
            except DuplicateKeyError:
                session.abort_transaction()
                return False
            self._payments.insert_one(payment, session=session)
        return True

    def cancel(self, subscription: str) -> None:
        """The customer's bank reported that the direct debit was cancelled."""
        cancelled = {"status": "cancelled", "updated": datetime.now(UTC)}
        self._payments.update_one({"subscriptionId": subscription}, {"$set": cancelled})

    def statuses(self, subscription: str) -> list[str]:
        """The statuses of the payments of a subscription."""
        return [payment["status"] for payment in self._payments.find({"subscriptionId": subscription})]
