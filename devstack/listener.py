"""A thread that receives events as a consumer and shows each as it arrives."""

import threading
import time
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from devstack.payments import Committed, Payments
from tailrace.dev.consumer import Consumer, Received
from tailrace.dev.screen import Screen


class Listener:
    """
    ``with Listener(...) as listener:`` listens until the block ends. ``received`` has the events in order of arrival.

    ``alone=False``: others write too. Events of other payments are shown and do not count for the verdict.
    """

    def __init__(self, consumer: Consumer, screen: Screen, payments: Payments | None = None, *, alone: bool = True) -> None:
        self.received: list[Received] = []
        self.latencies: list[float] = []  # seconds from commit to first arrival, where no outage was in between
        self.died: datetime | None = None  # when the tailer was killed
        self.back: datetime | None = None  # when another took over
        self._consumer = consumer
        self._screen = screen
        self._payments = payments
        self._alone = alone
        self._seen: set[str] = set()
        self._leaving = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._listen, name="listener", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._leaving.set()
        self._thread.join(timeout=10)

    def heard_all(self, count: int, seconds: float) -> bool:
        """Return whether ``count`` different events arrived in time. An error of the thread is raised here."""
        deadline = time.monotonic() + seconds
        while self._heard() < count and time.monotonic() < deadline:
            if self._failure:
                raise self._failure
            time.sleep(0.02)
        return self._heard() >= count

    def stay(self) -> None:
        """Listen until interrupted. An error of the thread is raised here."""
        while self._thread.is_alive():
            self._thread.join(timeout=0.2)
        if self._failure:
            raise self._failure

    def ours(self) -> list[Received]:
        """Return the events that count for the verdict, in order of arrival."""
        if self._alone or not self._payments:
            return self.received
        documents = {one.document for one in self._payments.committed}
        return [event for event in self.received if event.document in documents]

    def _heard(self) -> int:
        return len({event.id for event in self.ours()})

    def _listen(self) -> None:
        try:
            while not self._leaving.is_set():
                for event in self._consumer.receive():
                    self._show(event)
        except Exception as failure:  # raised in the thread that waits for the events
            self._failure = failure

    def _show(self, event: Received) -> None:
        commit = self._commit(event)
        latency = (event.at - commit.at) / timedelta(seconds=1) if commit else None
        note = "again, same id" if event.id in self._seen else self._outage(event, commit)
        if latency is not None and not note:
            self.latencies.append(latency)
        self.received.append(event)
        self._seen.add(event.id)
        self._screen.event(event, latency, note)

    def _outage(self, event: Received, commit: Committed | None) -> str:
        """Return how the time without a tailer affected this event, or an empty string."""
        if not commit or not self.died or event.at < self.died or (self.back and commit.at > self.back):
            return ""
        return "in flight at the kill" if commit.at < self.died else "written while no tailer ran"

    def _commit(self, event: Received) -> Committed | None:
        committed = self._payments.committed if self._payments else []
        return next((one for one in committed if (one.document, one.event) == (event.document, event.name)), None)
