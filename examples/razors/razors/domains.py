"""The domains. Each has its own store, and returns False for an event that it has handled before."""

from typing import Any

from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError

from razors.events import PaymentCancelled, SubscriptionCreated
from tailrace.consuming import DynamodbInbox, Event


class Subscriptions:
    """Customers subscribe here, and a cancelled payment ends their subscription. The stream of its table is published."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb, self._inbox = dynamodb, DynamodbInbox(dynamodb, "razors-handled")  # notes are no changes of the table

    def create(self, subscription: str, product: str, units_a_month: int, customer: str) -> None:
        texts = {"subscriptionId": subscription, "productId": product, "customer": customer, "status": "active"}
        item = {name: {"S": text} for name, text in texts.items()} | {"unitsAMonth": {"N": str(units_a_month)}}
        self._dynamodb.put_item(TableName="razors-subscriptions", Item=item)

    def status(self, subscription: str) -> str:
        key = {"subscriptionId": {"S": subscription}}
        return str(self._dynamodb.get_item(TableName="razors-subscriptions", Key=key)["Item"]["status"]["S"])

    def handle(self, event: Event[PaymentCancelled]) -> bool:
        cancel = {
            "TableName": "razors-subscriptions",
            "Key": {"subscriptionId": {"S": event.data.subscription_id}},
            "UpdateExpression": "SET #status = :cancelled",
            "ConditionExpression": "attribute_exists(subscriptionId)",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":cancelled": {"S": "cancelled"}},
        }
        return self._inbox.once(event, {"Update": cancel})


class Stock:
    """Sets a year's units of a product aside for each subscription, and returns them when the payment is cancelled."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb, self._inbox = dynamodb, DynamodbInbox(dynamodb, "razors-stock")

    def handle(self, event: Event[SubscriptionCreated | PaymentCancelled]) -> bool:
        """Done twice, an addition would be wrong."""
        key = f"subscription/{event.data.subscription_id}"
        if isinstance(event.data, SubscriptionCreated):
            product, units = event.data.product_id, 12 * event.data.units_a_month
        elif found := self._item(key):
            product, units = found["product"]["S"], -int(found["units"]["N"])
        else:  # queues keep no order: the allocation may be on its way, and then this event comes again
            raise LookupError(f"nothing is allocated for {key}")
        allocation = {"id": {"S": key}, "product": {"S": product}, "units": {"N": str(max(units, 0))}}
        addition = {
            "TableName": "razors-stock",
            "Key": {"id": {"S": f"product/{product}"}},
            "UpdateExpression": "ADD allocated :units",
            "ExpressionAttributeValues": {":units": {"N": str(units)}},
        }
        return self._inbox.once(event, {"Put": {"TableName": "razors-stock", "Item": allocation}}, {"Update": addition})

    def allocated(self, product: str) -> int:
        return int(self._item(f"product/{product}").get("allocated", {"N": "0"})["N"])

    def _item(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self._dynamodb.get_item(TableName="razors-stock", Key={"id": {"S": key}}).get("Item", {})
        return found


class Payments:
    """A direct debit for each subscription, in MongoDB. It publishes nothing: the tailer reads the database's change stream."""

    def __init__(self, client: "MongoClient[dict[str, Any]]") -> None:
        self._client, self._payments = client, client["payments"]["payments"]
        self._handled = client["payments"]["handled"]  # ids of events; in production with a TTL index

    def handle(self, event: Event[SubscriptionCreated]) -> bool:
        """The payment and the note of the event are one transaction."""
        with self._client.start_session() as session, session.start_transaction():
            try:
                self._handled.insert_one({"_id": event.id}, session=session)
            except DuplicateKeyError:
                session.abort_transaction()
                return False
            self._payments.insert_one({"subscriptionId": event.data.subscription_id, "status": "created"}, session=session)
        return True

    def cancel(self, subscription: str) -> None:
        """The customer's bank reported that the direct debit was cancelled."""
        self._payments.update_one({"subscriptionId": subscription}, {"$set": {"status": "cancelled"}})

    def statuses(self, subscription: str) -> list[str]:
        return [payment["status"] for payment in self._payments.find({"subscriptionId": subscription})]
