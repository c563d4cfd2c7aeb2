"""A consumer of a queue; in production a Lambda function that calls ``handle`` in the same way."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from razors.events import PaymentCancelled, SubscriptionCreated
from tailrace.consuming import Event, Events, handle, messages

EVENTS = Events(SubscriptionCreated, PaymentCancelled)


class Worker:
    """``act`` returns False if it handled an event before. ``handled`` and ``repeats`` count by the event's name."""

    def __init__(self, sqs: Any, queue: str, act: Callable[[Event[Any]], bool]) -> None:
        self.handled, self.repeats = Counter[str](), Counter[str]()
        self._sqs, self._url, self._act = sqs, sqs.get_queue_url(QueueName=queue)["QueueUrl"], act

    def work(self) -> None:
        """Delete each message once it is handled. One that fails comes again, and at last becomes a dead letter."""
        received = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        failed = {one["itemIdentifier"] for one in handle(received, EVENTS, self._count)["batchItemFailures"]}
        for message in messages(received):
            if message.id not in failed:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def _count(self, event: Event[Any]) -> None:
        (self.handled if self._act(event) else self.repeats)[event.name] += 1
