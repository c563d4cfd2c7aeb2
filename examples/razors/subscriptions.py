"""The subscription domain: customers subscribe here, and a cancelled payment ends their subscription."""

from typing import Any

from examples.razors.inbox import Event
from examples.razors.once import once


class Subscriptions:
    """
    One item for each subscription; it writes its own table and publishes nothing: the table's stream does. The notes of handled
    events are in a table of their own, so that they are no changes of a subscription.
    """

    def __init__(self, dynamodb: Any, table: str, notes: str) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._notes = notes

    def create(self, subscription: str, product: str, units_a_month: int, customer: str) -> None:
        item = {
            "subscriptionId": {"S": subscription},
            "productId": {"S": product},
            "unitsAMonth": {"N": str(units_a_month)},
            "customer": {"S": customer},
            "status": {"S": "active"},
        }
        self._dynamodb.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(subscriptionId)")

    def status(self, subscription: str) -> str:
        response = self._dynamodb.get_item(
            TableName=self._table, Key={"subscriptionId": {"S": subscription}}, ConsistentRead=True
        )
        return str(response["Item"]["status"]["S"])

    def handle(self, event: Event) -> bool:
        """Cancel the subscription whose payment was cancelled, once."""
        if event.name != "PaymentCancelled":
            return True
        cancel = {
            "TableName": self._table,
            "Key": {"subscriptionId": {"S": event.data["subscriptionId"]}},
            "UpdateExpression": "SET #status = :cancelled",
            "ConditionExpression": "attribute_exists(subscriptionId)",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":cancelled": {"S": "cancelled"}},
        }
        return once(self._dynamodb, self._notes, event.id, [{"Update": cancel}])
