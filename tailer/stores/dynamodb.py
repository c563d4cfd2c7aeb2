"""Records in a DynamoDB table with a string partition key ``pk``."""

from typing import Any, Self

import msgspec
from botocore.exceptions import ClientError

from tailer.aws.errors import aws_errors
from tailer.aws.remedies import NETWORK, ROLE
from tailer.errors import Rejected
from tailer.model import Record
from tailer.ports import Conflict
from tailer.stored_form import record_from, stored_record
from tailer.stores.kind import Clients, Kind

_LOST = (
    "if the table was lost, create it again and, before you start a task, set how far each stream was delivered: tailer "
    "checkpoint seed --to TIME. A stream without a checkpoint starts at TAILER_START"
)


class DynamodbCheckpoints(Kind):
    """One item per stream: its record as JSON, beside the version that guards it."""

    form, pattern = "dynamodb://TABLE", r"dynamodb://.+"
    outage = f"check that DynamoDB, which TAILER_CHECKPOINTS names, is reachable from here: {NETWORK}"
    mistake = f"compare TAILER_CHECKPOINTS with aws dynamodb list-tables, and AWS_REGION; {ROLE}"

    @classmethod
    def of(cls, url: str, clients: Clients) -> Self:
        return cls(clients.aws("dynamodb"), url.partition("://")[2].rstrip("/"))

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, stream: str) -> Record | None:
        with aws_errors("TAILER_CHECKPOINTS", self._table, _LOST):
            response = self._client.get_item(TableName=self._table, Key=_key(stream), ConsistentRead=True)
        item = response.get("Item")
        return record_from(msgspec.json.decode(item["record"]["S"])) if item else None

    def write(self, record: Record) -> None:
        item = {
            **_key(record.stream),
            "version": {"N": str(record.version)},
            "record": {"S": msgspec.json.encode(stored_record(record)).decode()},
        }
        guard: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if record.version > 1:
            expected = {":expected": {"N": str(record.version - 1)}}
            guard = {"ConditionExpression": "version = :expected", "ExpressionAttributeValues": expected}
        with aws_errors("TAILER_CHECKPOINTS", self._table, _LOST):
            try:
                self._client.put_item(TableName=self._table, Item=item, **guard)
            except ClientError as error:
                code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
                if code == "ConditionalCheckFailedException":
                    raise Conflict from None
                if code == "ValidationException" and "item size" in text.lower():
                    raise Rejected(_too_large(self._table, record, text)) from error
                raise


def _too_large(table: str, record: Record, text: str) -> str:
    """Return the message for a record that does not fit into an item of 400 KB, with the size of its largest field."""
    sizes = {name: len(msgspec.json.encode(getattr(record, name))) for name in record.__struct_fields__}
    largest = max(sizes, key=sizes.__getitem__)
    return (
        f"TAILER_CHECKPOINTS: {table}: the record of stream {record.stream!r} takes {sum(sizes.values())} bytes, and an item "
        f"of DynamoDB holds 409600; the largest field is {largest}, with {sizes[largest]} bytes ({text})"
    )


def _key(stream: str) -> dict[str, Any]:
    return {"pk": {"S": f"stream/{stream}"}}
