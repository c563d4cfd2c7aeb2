"""A backlog in an SQS queue, FIFO or standard."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from lambda_forwarder.aws.batches import CALL_COUNT, call_in_tens
from lambda_forwarder.aws.resources import check_queue, queue
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.ports import TimeLeft

WAIT_SECONDS = 1  # a long poll of any length asks all servers of SQS; a short poll may miss messages
PERMISSIONS = "the permissions sqs:GetQueueAttributes, ReceiveMessage, DeleteMessage and ChangeMessageVisibility"
HOLD_LIMIT = 43_200  # seconds, SQS, a visibility timeout


class SqsBacklog:
    """The queue with this URL, from this setting. ``client`` is a boto3 ``sqs`` client. An error lists the ``permissions``."""

    def __init__(self, client: Any, queue_url: str, setting: str, *, permissions: str = PERMISSIONS) -> None:
        self._client = client
        self.queue_url = queue_url
        self._queue = queue(setting, queue_url, permissions)

    def check(self) -> None:
        check_queue(self._client, self._queue, receives_changes=False)

    def take(self, count: int, seconds: float) -> Sequence[Delivery]:
        response = self._call(
            "ReceiveMessage",
            self._client.receive_message,
            MaxNumberOfMessages=min(count, CALL_COUNT),
            WaitTimeSeconds=WAIT_SECONDS,
            VisibilityTimeout=min(math.ceil(seconds), HOLD_LIMIT),
            MessageSystemAttributeNames=["MessageGroupId"],
        )
        return deliveries(response)

    def remove(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:
        call = partial(self._call, "DeleteMessageBatch", self._client.delete_message_batch)
        call_in_tens("DeleteMessageBatch", call, [{"ReceiptHandle": delivery.receipt} for delivery in deliveries], time_left)

    def give_back(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:
        """See ``Backlog``. The last message goes first: a FIFO queue delivers a group from its first visible message on."""
        call = partial(self._call, "ChangeMessageVisibilityBatch", self._client.change_message_visibility_batch)
        entries = [{"ReceiptHandle": delivery.receipt, "VisibilityTimeout": 0} for delivery in deliveries[::-1]]
        call_in_tens("ChangeMessageVisibilityBatch", call, entries, time_left)

    def _call(self, doing: str, call: Callable[..., Any], **request: object) -> Any:
        with self._queue.call(doing):
            return call(QueueUrl=self.queue_url, **request)


def deliveries(response: Mapping[str, Any]) -> list[Delivery]:
    """Convert the response of ReceiveMessage. A response that a person recorded may lack everything but the bodies."""
    return [
        Delivery(
            id=message.get("MessageId", ""),
            group=message.get("Attributes", {}).get("MessageGroupId", message.get("MessageId", "")),
            body=message["Body"],
            receipt=message.get("ReceiptHandle", ""),
        )
        for message in response.get("Messages", ())
    ]
