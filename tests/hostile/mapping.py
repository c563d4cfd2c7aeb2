"""
Lambda's event source mapping of a FIFO queue: it receives, invokes, and deletes every message that the function did not report.
"""

from collections.abc import Sequence
from typing import Any

from tests.hostile.function import Function, Response

BATCH = 10  # messages, the limit of a FIFO mapping


class Mapping:
    """
    Connects a real queue to a function. Messages of a killed function become visible at once, not after the visibility timeout.
    """

    def __init__(self, sqs: Any, queue_url: str, function: Function) -> None:
        self._sqs = sqs
        self._queue = {"QueueUrl": queue_url}
        self._function = function

    def pump(self) -> tuple[Sequence[dict[str, Any]], Response | None]:
        """Return the received messages and the function's response of one invocation, or nothing if the queue is empty."""
        received = self._sqs.receive_message(
            **self._queue, MaxNumberOfMessages=BATCH, WaitTimeSeconds=1, AttributeNames=["All"]
        ).get("Messages", [])
        if not received:
            return received, None
        response = self._function.invoke({"Records": [_record(message) for message in received]})
        if response.result is not None:
            failed = {one["itemIdentifier"] for one in response.result["batchItemFailures"]}
            for message in received:
                if message["MessageId"] not in failed:
                    self._sqs.delete_message(**self._queue, ReceiptHandle=message["ReceiptHandle"])
        elif response.killed:
            for message in received:
                self._sqs.change_message_visibility(**self._queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
        return received, response


def _record(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:tailrace-changes.fifo",
        "awsRegion": "eu-west-1",
    }
