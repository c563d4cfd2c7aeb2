"""The stock domain: it sets a year's units aside for every subscription, and puts them back when the payment is cancelled."""

from typing import Any

from examples.razors.inbox import Event
from examples.razors.once import once

MONTHS = 12  # that are allocated up front


class Stock:
    """One item for each product, with how much of it is ``allocated``, and one for each subscription's allocation."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def handle(self, event: Event) -> bool:
        """Allocate or deallocate, once for each event."""
        match event.name:
            case "SubscriptionCreated":
                return self._allocate(event)
            case "PaymentCancelled":
                return self._deallocate(event)
        return True  # not for us

    def allocated(self, product: str) -> int:
        """Units of a product that are set aside."""
        return int(self._item(f"product/{product}").get("allocated", {"N": "0"})["N"])

    def _allocate(self, event: Event) -> bool:
        units = MONTHS * event.data["unitsAMonth"]
        allocation = {
            "id": {"S": f"subscription/{event.data['subscriptionId']}"},
            "product": {"S": event.data["productId"]},
            "units": {"N": str(units)},
        }
        effects = [{"Put": {"TableName": self._table, "Item": allocation}}, self._add(event.data["productId"], units)]
        return once(self._dynamodb, self._table, event.id, effects)

    def _deallocate(self, event: Event) -> bool:
        key = f"subscription/{event.data['subscriptionId']}"
        found = self._item(key)
        if not found:  # queues keep no order: what it cancels may be on its way, and then it comes again
            raise LookupError(f"nothing is allocated for {key}")
        units = int(found["units"]["N"])
        release = {
            "TableName": self._table,
            "Key": {"id": {"S": key}},
            "UpdateExpression": "SET units = :none",
            "ExpressionAttributeValues": {":none": {"N": "0"}},
        }
        return once(self._dynamodb, self._table, event.id, [{"Update": release}, self._add(found["product"]["S"], -units)])

    def _add(self, product: str, units: int) -> dict[str, Any]:
        """An addition: done twice, it would be wrong."""
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"id": {"S": f"product/{product}"}},
                "UpdateExpression": "ADD allocated :units",
                "ExpressionAttributeValues": {":units": {"N": str(units)}},
            }
        }

    def _item(self, key: str) -> dict[str, Any]:
        response = self._dynamodb.get_item(TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True)
        item: dict[str, Any] = response.get("Item", {})
        return item
