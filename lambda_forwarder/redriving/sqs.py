"""A backlog in an SQS queue, FIFO or standard."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from lambda_forwarder import deadline
from lambda_forwarder.aws import batch_response
from lambda_forwarder.aws.resources import check_queue, queue
from lambda_forwarder.ports import TimeLeft, Waiting

CALL_COUNT = 10  # messages, SQS, one call
WAIT_SECONDS = 1  # any long poll asks all of SQS's servers; a short one may overlook what is there
PERMISSIONS = "the permissions sqs:GetQueueAttributes, ReceiveMessage, DeleteMessage and ChangeMessageVisibility"
HOLD_LIMIT = 43_200  # seconds, SQS, a visibility timeout


class SqsBacklog:
    """The queue with this URL, which ``setting`` names. ``client`` is a boto3 ``sqs`` client; ``wait`` is in whole seconds."""

    def __init__(self, client: Any, queue_url: str, setting: str, *, wait: int | None = None) -> None:
        self._client = client
        self.queue_url = queue_url
        self._queue = queue(setting, queue_url, PERMISSIONS)
        self._wait = WAIT_SECONDS if wait is None else wait

    def check(self) -> None:
        """See ``check_queue``."""
        check_queue(self._client, self._queue, receives_changes=False)

    def take(self, count: int, seconds: float) -> Sequence[Waiting]:
        """See ``Backlog``."""
        response = self._call(
            "ReceiveMessage",
            self._client.receive_message,
            MaxNumberOfMessages=min(count, CALL_COUNT),
            WaitTimeSeconds=self._wait,
            VisibilityTimeout=min(math.ceil(seconds), HOLD_LIMIT),
            MessageSystemAttributeNames=["MessageGroupId"],
        )
        return [
            Waiting(
                id=message["MessageId"],
                group=message.get("Attributes", {}).get("MessageGroupId", message["MessageId"]),
                body=message["Body"],
                receipt=message["ReceiptHandle"],
            )
            for message in response.get("Messages", ())
        ]

    def remove(self, waiting: Sequence[Waiting], time_left: TimeLeft) -> None:
        """See ``Backlog``."""
        self._batches("DeleteMessageBatch", self._client.delete_message_batch, waiting, time_left)

    def give_back(self, waiting: Sequence[Waiting], time_left: TimeLeft) -> None:
        """See ``Backlog``. The last first: a FIFO queue gives a group's messages out from the first."""
        change = self._client.change_message_visibility_batch
        self._batches("ChangeMessageVisibilityBatch", change, waiting[::-1], time_left, VisibilityTimeout=0)

    def _batches(
        self, doing: str, call: Callable[..., Any], waiting: Sequence[Waiting], time_left: TimeLeft, **each: object
    ) -> None:
        for start in range(0, len(waiting), CALL_COUNT):
            deadline.check(time_left, f"{doing} was called for {len(waiting) - start} messages")
            entries = [
                {"Id": str(number), "ReceiptHandle": one.receipt, **each}
                for number, one in enumerate(waiting[start : start + CALL_COUNT])
            ]
            batch_response.check(doing, entries, self._call(doing, call, Entries=entries))

    def _call(self, doing: str, call: Callable[..., Any], **request: object) -> Any:
        with self._queue.call(doing):
            return call(QueueUrl=self.queue_url, **request)
