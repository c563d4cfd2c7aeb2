"""Reads and writes items of a DynamoDB table: that of the watermarks, or that of the last states."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from botocore.exceptions import ClientError
from tenacity import RetryCallState, Retrying, retry_if_result, wait_random_exponential

from lambda_forwarder import deadline
from lambda_forwarder.aws.resources import Resource
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.ports import TimeLeft

NEEDS = (
    "a table with a string partition key pk, in this region, with the permissions dynamodb:BatchGetItem and "
    "dynamodb:UpdateItem; or off, and repeats are published"
)
EXPIRES = "expires"  # seconds since 1970; the attribute of the table's time to live, see tailrace_cdk.messaging.state
KEPT_SECONDS = 45 * 86_400  # a message can stay in three queues after one another, 14 days in each
CALL_COUNT = 100  # keys, DynamoDB, one BatchGetItem
ATTEMPTS = 3  # to read the keys that a call left unprocessed
WAIT = wait_random_exponential(multiplier=0.05, max=0.5)  # seconds

Item = Mapping[str, Any]
"""Attributes by name, in DynamoDB's form: ``{"sequence": {"N": "1"}}``."""


class Table:
    """
    A DynamoDB table with a string partition key ``pk``. ``client`` is a boto3 ``dynamodb`` client. ``setting`` names the table,
    and ``needs`` is what must exist.
    """

    def __init__(
        self,
        client: Any,
        name: str,
        *,
        setting: str = "FORWARDER_WATERMARKS",
        needs: str = NEEDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._name = name
        self._resource = Resource(setting=setting, name=f"table {name!r}", needs=needs)
        self._sleep = sleep

    def read(self, keys: Collection[str], content: str, time_left: TimeLeft) -> Mapping[str, Item]:
        """Return the items with these keys, by key. ``content`` names them in an error."""
        items: dict[str, Item] = {}
        left: list[Item] = [{"pk": {"S": key}} for key in keys]

        def attempt() -> bool:
            deadline.check(time_left, f"{content} were read")
            request = {self._name: {"Keys": left[:CALL_COUNT], "ConsistentRead": True}}
            with self._resource.call("BatchGetItem"):
                response = self._client.batch_get_item(RequestItems=request)
            items.update({item["pk"]["S"]: item for found in response["Responses"].values() for item in found})
            left[:CALL_COUNT] = [key for rest in response.get("UnprocessedKeys", {}).values() for key in rest["Keys"]]
            return bool(response.get("UnprocessedKeys"))

        def stop(state: RetryCallState) -> bool:
            return state.attempt_number >= ATTEMPTS or time_left() <= state.upcoming_sleep

        def throttled(state: RetryCallState) -> None:
            raise Unavailable(
                f"BatchGetItem did not return all {content} in {state.attempt_number} attempts: the table is throttled"
            )

        while left:
            retrying = Retrying(
                retry=retry_if_result(bool), wait=WAIT, stop=stop, sleep=self._sleep, retry_error_callback=throttled
            )
            retrying(attempt)
        return items

    def write(
        self, key: str, attributes: Mapping[str, Any], condition: str = "", known: Mapping[str, Any] | None = None
    ) -> bool:
        """
        Set these attributes of the item; None removes one. Return False if the condition does not hold. In the condition an
        attribute's name is ``#name``, its new value ``:name``, and ``known`` are further values.
        """
        values = {f":{name}": value for name, value in attributes.items() if value is not None}
        sets = ", ".join(f"#{name} = :{name}" for name, value in attributes.items() if value is not None)
        removes = ", ".join(f"#{name}" for name, value in attributes.items() if value is None)
        with self._resource.call("UpdateItem"):
            try:
                self._client.update_item(
                    TableName=self._name,
                    Key={"pk": {"S": key}},
                    UpdateExpression=f"SET {sets} REMOVE {removes}" if removes else f"SET {sets}",
                    ExpressionAttributeNames={f"#{name}": name for name in attributes},
                    ExpressionAttributeValues={**values, **(known or {})},
                    **({"ConditionExpression": condition} if condition else {}),
                )
            except ClientError as error:
                if error.response["Error"].get("Code") != "ConditionalCheckFailedException":
                    raise
                return False
        return True
