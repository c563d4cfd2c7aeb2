"""A consumer as a loop on its queue; in production a Lambda function that calls ``handle`` in the same way."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from razors.events import PaymentCancelled, SubscriptionCreated
from tailrace.consuming import Event, Events, handle, messages

EVENTS = Events(SubscriptionCreated, PaymentCancelled)
Handle = Callable[[Event[Any]], bool]
"""Does what an event asks for. False: it was handled before, and nothing was done."""


class Worker(threading.Thread):
    """Works until ``stopping`` is set. ``handled`` and ``repeats`` count by the event's name."""

    def __init__(self, sqs: Any, queue_url: str, act: Handle, stopping: threading.Event) -> None:
        super().__init__(daemon=True)
        self.handled, self.repeats = Counter[str](), Counter[str]()
        self._sqs, self._queue, self._act, self._stopping = sqs, {"QueueUrl": queue_url}, act, stopping

    def run(self) -> None:
        """A message is deleted once it is handled. One that fails comes again, and at last becomes a dead letter."""
        while not self._stopping.is_set():
            received = self._sqs.receive_message(**self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            failed = {one["itemIdentifier"] for one in handle(received, EVENTS, self._count)["batchItemFailures"]}
            for message in messages(received):
                if message.id not in failed:
                    self._sqs.delete_message(**self._queue, ReceiptHandle=message.receipt)

    def _count(self, event: Event[Any]) -> None:
        counter = self.handled if self._act(event) else self.repeats
        counter[event.name] += 1
