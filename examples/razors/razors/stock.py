"""The stock domain: it sets a year's units aside for every subscription, and returns them when the payment is cancelled."""

from typing import Any

from razors.events import PaymentCancelled, SubscriptionCreated
from tailrace.consuming import DynamodbInbox, Event

MONTHS = 12  # that are allocated up front


class Stock:
    """One item for each product, with how much of it is ``allocated``, and one for each subscription's allocation."""

    def __init__(self, dynamodb: Any, table: str = "razors-stock") -> None:
        self._dynamodb, self._table = dynamodb, table
        self._inbox = DynamodbInbox(dynamodb, table)

    def handle(self, event: Event[SubscriptionCreated | PaymentCancelled]) -> bool:
        """Allocate or return units, once for each event: done twice, an addition would be wrong."""
        key = f"subscription/{event.data.subscription_id}"
        if isinstance(event.data, SubscriptionCreated):
            product, units = event.data.product_id, MONTHS * event.data.units_a_month
        elif found := self._item(key):
            product, units = found["product"]["S"], -int(found["units"]["N"])
        else:  # queues keep no order: the allocation may be on its way, and then this event comes again
            raise LookupError(f"nothing is allocated for {key}")
        allocation = {"id": {"S": key}, "product": {"S": product}, "units": {"N": str(max(units, 0))}}
        addition = {
            "TableName": self._table,
            "Key": {"id": {"S": f"product/{product}"}},
            "UpdateExpression": "ADD allocated :units",
            "ExpressionAttributeValues": {":units": {"N": str(units)}},
        }
        return self._inbox.once(event, {"Put": {"TableName": self._table, "Item": allocation}}, {"Update": addition})

    def allocated(self, product: str) -> int:
        """Units of a product that are set aside."""
        return int(self._item(f"product/{product}").get("allocated", {"N": "0"})["N"])

    def _item(self, key: str) -> dict[str, Any]:
        response = self._dynamodb.get_item(TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True)
        item: dict[str, Any] = response.get("Item", {})
        return item
