"""Watermarks in a DynamoDB table with a string partition key ``pk``: one item per lane."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from botocore.exceptions import ClientError
from tenacity import RetryCallState, Retrying, retry_if_result, wait_random_exponential

from lambda_forwarder import deadline
from lambda_forwarder.aws.resources import Resource
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.watermarks.expiry import ATTRIBUTE, Expiry, never

NEEDS = (
    "a table with a string partition key pk, in this region, with the permissions dynamodb:BatchGetItem and "
    "dynamodb:UpdateItem; or off, and repeats are published"
)
PREFIX = "lane/"  # of the partition keys; the tailer's own items have another
CALL_COUNT = 100  # keys, DynamoDB, one BatchGetItem
ATTEMPTS = 3  # at what a call left over
WAIT = wait_random_exponential(multiplier=0.05, max=0.5)  # seconds

NAMES = {"#generation": "generation", "#sequence": "sequence", "#cluster_time": "clusterTime", "#expires": ATTRIBUTE}
SET = "SET #generation = :generation, #sequence = :sequence, #cluster_time = :cluster_time"
FORWARD = "attribute_not_exists(pk) OR #generation < :generation OR (#generation = :generation AND #sequence < :sequence)"
NEVER = "attribute_exists(pk) AND attribute_not_exists(pk)"
CHECK_SECONDS = 1.0  # for one call and its retries, at the start
NOWHERE = "check"  # no lane is called so: a lane's name has a dot


class DynamodbWatermarks:
    """
    Keeps them in this table, which may be the tailer's. ``client`` is a boto3 ``dynamodb`` client.

    A lane that ``expires`` has a time for gets it as an attribute, for the table's time to live. Any other lane loses it.
    """

    def __init__(
        self, client: Any, table: str, *, expires: Expiry = never, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table = table
        self._resource = Resource(setting="FORWARDER_WATERMARKS", name=f"table {table!r}", needs=NEEDS)
        self._expires = expires
        self._sleep = sleep

    def check(self) -> None:
        """
        Make sure that the table is there, of our form, and ours to read and to write. Leaves nothing in it.

        Raises:
            Misconfigured: it is not; the message names the setting and the remedy.
        """
        self.read([NOWHERE], lambda: CHECK_SECONDS)
        self._update(NOWHERE, Watermark(generation=0, sequence=0, cluster_time="0.0"), NEVER)

    def read(self, lanes: Collection[str], time_left: TimeLeft) -> Mapping[str, Watermark]:
        """See ``Watermarks``. Whoever may send can call a group as they like, also as an item that is no watermark."""
        keys = [_key(lane) for lane in lanes]
        items: list[dict[str, Any]] = []
        for start in range(0, len(keys), CALL_COUNT):
            items += self._items(keys[start : start + CALL_COUNT], time_left)
        return {item["pk"]["S"].removeprefix(PREFIX): _watermark(item) for item in items if "sequence" in item}

    def advance(self, lane: str, to: Watermark) -> None:
        """See ``Watermarks``."""
        self._update(lane, to, FORWARD)

    def _items(self, keys: list[dict[str, Any]], time_left: TimeLeft) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        left = keys

        def attempt() -> bool:
            nonlocal left
            deadline.check(time_left, "watermarks were read")
            request = {self._table: {"Keys": left, "ConsistentRead": True}}
            with self._resource.call("BatchGetItem"):
                response = self._client.batch_get_item(RequestItems=request)
            for found in response["Responses"].values():
                items.extend(found)
            left = [key for rest in response.get("UnprocessedKeys", {}).values() for key in rest["Keys"]]
            return bool(left)

        def stop(state: RetryCallState) -> bool:
            return state.attempt_number >= ATTEMPTS or time_left() <= state.upcoming_sleep

        Retrying(retry=retry_if_result(bool), wait=WAIT, stop=stop, sleep=self._sleep, retry_error_callback=_throttled)(attempt)
        return items

    def _update(self, lane: str, to: Watermark, condition: str) -> None:
        values = {
            ":generation": {"N": str(to.generation)},
            ":sequence": {"N": str(to.sequence)},
            ":cluster_time": {"S": to.cluster_time},
        }
        update = f"{SET} REMOVE #expires"
        if (expires := self._expires(lane)) is not None:
            update = f"{SET}, #expires = :expires"
            values[":expires"] = {"N": str(expires)}
        with self._resource.call("UpdateItem"):
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=_key(lane),
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeNames=NAMES,
                    ExpressionAttributeValues=values,
                )
            except ClientError as error:
                if error.response["Error"].get("Code") != "ConditionalCheckFailedException":
                    raise


def _key(lane: str) -> dict[str, Any]:
    return {"pk": {"S": f"{PREFIX}{lane}"}}


def _watermark(item: dict[str, Any]) -> Watermark:
    return Watermark(
        generation=int(item["generation"]["N"]), sequence=int(item["sequence"]["N"]), cluster_time=item["clusterTime"]["S"]
    )


def _throttled(state: RetryCallState) -> None:
    raise Unavailable(f"BatchGetItem did not return all watermarks in {state.attempt_number} attempts: the table is throttled")
