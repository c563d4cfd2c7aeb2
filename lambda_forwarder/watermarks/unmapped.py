"""The collections that no mapper reads, in the table of the watermarks: one item for each stream."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from lambda_forwarder import deadline
from lambda_forwarder.errors import Unavailable, translated
from lambda_forwarder.ports import TimeLeft
from tailrace.aws.unmapped import COLLECTIONS, EXPIRES, KEPT_SECONDS, added, kept, key

SET = "SET #collections = :collections, #expires = :expires, #version = :version"
NAMES = {"#collections": COLLECTIONS, "#expires": EXPIRES, "#version": "version"}


class DynamodbUnmapped:
    """
    ``client`` is a boto3 ``dynamodb`` client; ``now`` is in seconds.

    The item is replaced whole, where nobody else replaced it meanwhile, so that it stays within the bounds of
    ``tailrace.aws.unmapped``.
    """

    def __init__(self, client: Any, table: str, *, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table
        self._now = now

    def add(self, stream: str, counts: Mapping[str, int], time_left: TimeLeft) -> None:
        """See ``UnmappedCollections``."""
        deadline.check(time_left, "the collections without a mapper were read")
        request = {self._table: {"Keys": [key(stream)], "ConsistentRead": True}}
        with translated("BatchGetItem"):
            answer = self._client.batch_get_item(RequestItems=request)
        if answer.get("UnprocessedKeys"):
            raise Unavailable("BatchGetItem did not return the collections without a mapper: the table is throttled")
        item = next((one for found in answer["Responses"].values() for one in found), None)
        deadline.check(time_left, "the collections without a mapper were written")
        self._replace(stream, item, counts)

    def _replace(self, stream: str, item: Mapping[str, Any] | None, counts: Mapping[str, int]) -> None:
        now = self._now()
        version = int(item["version"]["N"]) if item else 0
        values = {
            ":collections": {"S": msgspec.json.encode(added(kept(item, now), counts, now)).decode()},
            ":expires": {"N": str(int(now) + KEPT_SECONDS)},
            ":version": {"N": str(version + 1)},
        }
        condition = "attribute_not_exists(pk)"
        if item:
            condition, values[":seen"] = "#version = :seen", {"N": str(version)}
        with translated("UpdateItem"):
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=key(stream),
                    UpdateExpression=SET,
                    ConditionExpression=condition,
                    ExpressionAttributeNames=NAMES,
                    ExpressionAttributeValues=values,
                )
            except ClientError as error:
                if error.response["Error"].get("Code") != "ConditionalCheckFailedException":
                    raise
                raise Unavailable("another execution environment wrote the collections without a mapper meanwhile") from error
