"""Notes of message groups in the table of the watermarks: one item for each group that was ever received again."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from lambda_forwarder import deadline
from lambda_forwarder.errors import Unavailable, translated
from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.watermarks.expiry import ATTRIBUTE, KEPT_SECONDS

PREFIX, SUFFIX = "lane/", "/attempt"  # of the partition keys; the prefix is what the function may use of the table
NAMES = {"#message": "message", "#answered": "answered", "#trying": "trying", "#begun": "begun", "#expires": ATTRIBUTE}
SET = "SET #message = :message, #answered = :answered, #trying = :trying, #begun = :begun, #expires = :expires"
NOTHING = {"NULL": True}


class DynamodbAttempts:
    """
    Keeps them in this table, under keys of their own. ``client`` is a boto3 ``dynamodb`` client; ``now`` is in seconds.

    Every note expires once the message that it is about cannot be in a queue any more.
    """

    def __init__(self, client: Any, table: str, *, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._now = now

    def read(self, groups: Collection[str], time_left: TimeLeft) -> Mapping[str, Attempt]:
        """See ``Attempts``. There are no more groups than messages in a batch, so one call has room for them."""
        if not groups:
            return {}
        deadline.check(time_left, "the notes of message groups were read")
        request = {self._table: {"Keys": [_key(group) for group in groups], "ConsistentRead": True}}
        with translated("BatchGetItem"):
            response = self._client.batch_get_item(RequestItems=request)
        if response.get("UnprocessedKeys"):
            raise Unavailable("BatchGetItem did not return all notes of message groups: the table is throttled")
        items = [item for found in response["Responses"].values() for item in found]
        return {item["pk"]["S"].removeprefix(PREFIX).removesuffix(SUFFIX): _attempt(item) for item in items}

    def write(self, group: str, attempt: Attempt) -> None:
        """See ``Attempts``."""
        values = {
            ":message": {"S": attempt.message},
            ":answered": {"N": str(attempt.answered)},
            ":trying": NOTHING if attempt.trying is None else {"N": str(attempt.trying)},
            ":begun": {"N": str(attempt.begun)},
            ":expires": {"N": str(int(self._now()) + KEPT_SECONDS)},
        }
        with translated("UpdateItem"):
            self._client.update_item(
                TableName=self._table,
                Key=_key(group),
                UpdateExpression=SET,
                ExpressionAttributeNames=NAMES,
                ExpressionAttributeValues=values,
            )


def _key(group: str) -> dict[str, Any]:
    return {"pk": {"S": f"{PREFIX}{group}{SUFFIX}"}}


def _attempt(item: dict[str, Any]) -> Attempt:
    trying = item["trying"].get("N")
    return Attempt(
        message=item["message"]["S"],
        answered=int(item["answered"]["N"]),
        trying=None if trying is None else int(trying),
        begun=int(item["begun"]["N"]),
    )
