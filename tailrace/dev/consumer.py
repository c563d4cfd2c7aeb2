"""A consumer: the events that arrive in the queue of another team."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from tailrace.consuming import Event, Events
from tailrace.wire.change import Document

LONG_POLL_SECONDS = 20  # SQS, the longest wait of one receive
EVENTS = Events()


class Received(Event[Document], frozen=True, kw_only=True):
    """One arrival of an event. A repeat has the same ``id``."""

    at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))


class Consumer:
    """Receives, parses and deletes messages. A message that is no event of Tailrace raises an error."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def receive(self, wait: int = 1) -> list[Received]:
        """Return up to ten events. Wait up to ``wait`` seconds for the first one."""
        response = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=min(wait, LONG_POLL_SECONDS)
        )
        messages = response.get("Messages", [])
        received = [Received(**msgspec.structs.asdict(event)) for event in EVENTS.of(response)]
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
        return received

    def receive_until(self, enough: Callable[[list[Received]], bool], seconds: float) -> list[Received]:
        """Return the events in order of arrival, until ``enough`` returns true or the time is over."""
        deadline = time.monotonic() + seconds
        received: list[Received] = []
        while not enough(received) and time.monotonic() < deadline:
            received += self.receive()
        return received

    def receive_count(self, count: int, seconds: float = 30.0) -> list[Received]:
        return self.receive_until(lambda received: len({event.id for event in received}) >= count, seconds)
