"""An application that writes payments to its database. It does not use Tailrace, and records its commits."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection

CREATED = "PaymentCreated"
CANCELLED = "PaymentCancelled"


@dataclass(frozen=True, kw_only=True)
class Committed:
    """One write that the database acknowledged, and the event that consumers must receive for it."""

    document: str
    event: str
    at: datetime


class Payments:
    """Creates and cancels payments, one write at a time."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection
        self.committed: list[Committed] = []

    def create(self) -> ObjectId:
        payment, number, now = ObjectId(), len(self.committed) + 1, datetime.now(UTC)
        document = {
            "_id": payment,
            "subscriptionId": f"sub-{number:04}",
            "accountNumber": f"{10_000_000 + number}",
            "status": "created",
            "created": now,
            "updated": now,
        }
        self._collection.insert_one(document)
        self._remember(payment, CREATED)
        return payment

    def cancel(self, payment: ObjectId) -> None:
        change = {"status": "cancelled", "updated": datetime.now(UTC)}
        self._collection.update_one({"_id": payment, "status": "created"}, {"$set": change})
        self._remember(payment, CANCELLED)

    def _remember(self, payment: ObjectId, event: str) -> None:
        name = f"{self._collection.full_name}/{payment}"
        self.committed.append(Committed(document=name, event=event, at=datetime.now(UTC)))
