"""A consumer: the events that arrive in the queue of another team."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

LONG_POLL_SECONDS = 20  # SQS, the longest wait of one receive


@dataclass(frozen=True, kw_only=True)
class Received:
    """One arrival of an event. A repeat has the same ``id``."""

    name: str
    source: str
    metadata: dict[str, Any]
    data: dict[str, Any]
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def id(self) -> str:
        return str(self.metadata["id"])

    @property
    def document(self) -> str:
        return str(self.metadata["document"])

    @property
    def position(self) -> tuple[int, int]:
        """Return (generation, sequence), which orders the events of a stream."""
        return self.metadata["generation"], self.metadata["sequence"]


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
        received = [_parse(message["Body"]) for message in messages]
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


def _parse(body: str) -> Received:
    event = json.loads(body)
    detail = event["detail"]
    return Received(name=event["detail-type"], source=event["source"], metadata=detail["metadata"], data=detail["data"])
