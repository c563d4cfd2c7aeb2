"""A consumer as a loop on its queue; in production a Lambda function with ``tailrace.consuming.handle``."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from razors.events import PaymentCancelled, SubscriptionCreated
from tailrace.consuming import Event, Events, messages

EVENTS = Events(SubscriptionCreated, PaymentCancelled)
Handle = Callable[[Event[Any]], bool]


class Worker(threading.Thread):
    """
    Calls ``handle`` with each event until ``shutdown``. It returns false if the event was handled before. A message that fails
    comes again, and reaches the dead-letter queue in the end. ``handled`` and ``repeats`` count by the event's name.
    """

    def __init__(self, sqs: Any, queue_url: str, handle: Handle) -> None:
        super().__init__(daemon=True)
        self.handled, self.repeats = Counter[str](), Counter[str]()
        self._sqs, self._queue_url, self._handle = sqs, queue_url, handle
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.is_set():
            response = self._sqs.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in messages(response):
                try:
                    event = EVENTS.read(message)
                    counter = self.handled if self._handle(event) else self.repeats
                except Exception:
                    logging.exception("message %s stays in the queue", message.id)
                    continue
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message.receipt)
                counter[event.name] += 1

    def shutdown(self) -> None:
        self._stopping.set()
        self.join(timeout=10)
