"""The queue that the messages came from: for how long it hides them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from lambda_forwarder import deadline
from lambda_forwarder.aws import batch_response
from lambda_forwarder.errors import translated
from lambda_forwarder.model.received import Record
from lambda_forwarder.ports import TimeLeft

CALL_COUNT = 10  # entries, SQS, one call


class SqsQueue:
    """The queue that each record names by its ARN. ``client`` is a boto3 ``sqs`` client."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._url = cache(self._asked)

    def hide(self, records: Sequence[tuple[Record, float]], time_left: TimeLeft) -> None:
        """See ``Queue``. The last first: a FIFO queue gives a group's messages out from the first that it may."""
        last_first = records[::-1]
        for start in range(0, len(last_first), CALL_COUNT):
            self._hide(last_first[start : start + CALL_COUNT], time_left)

    def _hide(self, call: Sequence[tuple[Record, float]], time_left: TimeLeft) -> None:
        deadline.check(time_left, f"{len(call)} messages were hidden")
        url = self._url(call[0][0]["eventSourceARN"])  # an event has messages of one queue
        entries = [
            {"Id": str(number), "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": round(seconds)}
            for number, (record, seconds) in enumerate(call)
        ]
        with translated("ChangeMessageVisibilityBatch"):
            response = self._client.change_message_visibility_batch(QueueUrl=url, Entries=entries)
        batch_response.check("ChangeMessageVisibilityBatch", entries, response)

    def _asked(self, arn: str) -> str:
        account, name = arn.split(":")[4:6]
        with translated("GetQueueUrl"):
            url: str = self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        return url
