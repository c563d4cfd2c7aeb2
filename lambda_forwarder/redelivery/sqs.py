"""Sets the visibility timeout of received messages."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from lambda_forwarder import deadline
from lambda_forwarder.aws import batch_response
from lambda_forwarder.errors import translated
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.ports import TimeLeft

CALL_COUNT = 10  # entries, SQS, one call


class SqsQueue:
    """The queue that each delivery names by its ARN. ``client`` is a boto3 ``sqs`` client."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._url = cache(self._queue_url)

    def hide(self, delays: Sequence[tuple[Delivery, float]], time_left: TimeLeft) -> None:
        """See ``Queue``. The last message goes first: a FIFO queue delivers a group from its first visible message on."""
        last_first = delays[::-1]
        for start in range(0, len(last_first), CALL_COUNT):
            call = last_first[start : start + CALL_COUNT]
            deadline.check(time_left, f"{len(call)} messages were hidden")
            url = self._url(call[0][0].queue_arn)  # an event has messages of one queue
            entries = [
                {"Id": str(number), "ReceiptHandle": delivery.receipt, "VisibilityTimeout": round(seconds)}
                for number, (delivery, seconds) in enumerate(call)
            ]
            with translated("ChangeMessageVisibilityBatch"):
                response = self._client.change_message_visibility_batch(QueueUrl=url, Entries=entries)
            batch_response.check("ChangeMessageVisibilityBatch", entries, response)

    def _queue_url(self, arn: str) -> str:
        account, name = arn.split(":")[4:6]
        with translated("GetQueueUrl"):
            url: str = self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        return url
