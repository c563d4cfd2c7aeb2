"""Sets the visibility timeout of received messages."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from lambda_forwarder.aws.batches import call_in_tens
from lambda_forwarder.errors import translated
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.ports import TimeLeft


class SqsQueue:
    """The queue that each delivery names by its ARN. ``client`` is a boto3 ``sqs`` client."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._url = cache(self._queue_url)

    def hide(self, delays: Sequence[tuple[Delivery, float]], time_left: TimeLeft) -> None:
        """See ``Queue``. The last message goes first: a FIFO queue delivers a group from its first visible message on."""
        entries = [
            {"ReceiptHandle": delivery.receipt, "VisibilityTimeout": round(seconds)} for delivery, seconds in delays[::-1]
        ]

        def call(**request: Any) -> Any:
            url = self._url(delays[0][0].queue_arn)  # an event has messages of one queue
            with translated("ChangeMessageVisibilityBatch"):
                return self._client.change_message_visibility_batch(QueueUrl=url, **request)

        call_in_tens("ChangeMessageVisibilityBatch", call, entries, time_left)

    def _queue_url(self, arn: str) -> str:
        account, name = arn.split(":")[4:6]
        with translated("GetQueueUrl"):
            url: str = self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        return url
