"""A domain's inbox: the queue behind its bus, and the loop that works through it."""

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

POLL_SECONDS = 1

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event as its consumer sees it."""

    name: str
    id: str
    data: dict[str, Any]
    metadata: dict[str, Any]
    replayed: bool


Handle = Callable[[Event], bool]
"""Does what the event asks for. False: it was done before, and nothing was done now."""


class Inbox:
    """
    ``with Inbox(...)`` works until the block ends. A message is deleted only once it is handled; one that fails comes again and
    at last goes to the queue's dead letters. ``handled`` and ``repeats`` count by the event's name.
    """

    def __init__(self, sqs: Any, queue_url: str, handle: Handle) -> None:
        self.handled: Counter[str] = Counter()
        self.repeats: Counter[str] = Counter()
        self._sqs = sqs
        self._queue_url = queue_url
        self._handle = handle
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._work, name=queue_url.rpartition("/")[2], daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._leaving.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while not self._leaving.is_set():
            for body, receipt in receive(self._sqs, self._queue_url):
                try:
                    counter = self.handled if self._handle(body) else self.repeats
                except Exception:
                    log.exception("%s stays in the queue", body.name)
                    continue
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=receipt)
                counter[body.name] += 1


def receive(sqs: Any, queue_url: str) -> list[tuple[Event, str]]:
    """What is there, at most ten, each with its receipt."""
    response = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=POLL_SECONDS)
    return [(_event(message["Body"]), message["ReceiptHandle"]) for message in response.get("Messages", ())]


def _event(body: str) -> Event:
    told = json.loads(body)
    detail = told["detail"]
    metadata = detail["metadata"]
    return Event(
        name=told["detail-type"], id=metadata["id"], data=detail["data"], metadata=metadata, replayed="replay-name" in told
    )
