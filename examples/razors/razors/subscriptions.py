"""The subscription domain: customers subscribe here, and a cancelled payment ends their subscription."""

from typing import Any

from razors.events import PaymentCancelled
from tailrace.consuming import DynamodbInbox, Event


class Subscriptions:
    """
    One item for each subscription. It writes its own table, whose stream is published. The notes of handled events are in a
    table of their own, so that they are no changes of a subscription.
    """

    def __init__(self, dynamodb: Any, table: str = "razors-subscriptions", notes: str = "razors-handled") -> None:
        self._dynamodb, self._table = dynamodb, table
        self._inbox = DynamodbInbox(dynamodb, notes)

    def create(self, subscription: str, product: str, units_a_month: int, customer: str) -> None:
        texts = {"subscriptionId": subscription, "productId": product, "customer": customer, "status": "active"}
        item = {name: {"S": text} for name, text in texts.items()} | {"unitsAMonth": {"N": str(units_a_month)}}
        self._dynamodb.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(subscriptionId)")

    def status(self, subscription: str) -> str:
        key = {"subscriptionId": {"S": subscription}}
        return str(self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)["Item"]["status"]["S"])

    def handle(self, event: Event[PaymentCancelled]) -> bool:
        """Cancel the subscription whose payment was cancelled, once."""
        cancel = {
            "TableName": self._table,
            "Key": {"subscriptionId": {"S": event.data.subscription_id}},
            "UpdateExpression": "SET #status = :cancelled",
            "ConditionExpression": "attribute_exists(subscriptionId)",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":cancelled": {"S": "cancelled"}},
        }
        return self._inbox.once(event, {"Update": cancel})
