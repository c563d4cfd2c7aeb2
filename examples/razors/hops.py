"""Steps of the scenario. Each is polled until it happened, and shown. A missing step ends the scenario."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from examples.razors.inbox import Event, receive
from tailrace.dev.screen import Screen

T = TypeVar("T")

HOP_SECONDS = 30.0  # for one hop, on a machine that is busy with others
NOW = 0.0  # seconds: it holds already or it never will
POLL_SECONDS = 0.05


class HopMissing(Exception):
    """An expected step did not happen."""


class Hops:
    """Counts and shows the steps. ``witnesses`` are queues by domain that receive every event of a bus."""

    def __init__(self, screen: Screen, sqs: Any, witnesses: dict[str, str]) -> None:
        self.count = 0
        self._screen = screen
        self._sqs = sqs
        self._witnesses = witnesses
        self._heard: defaultdict[str, list[Event]] = defaultdict(list)

    def chapter(self, text: str) -> None:
        """Show what happens now."""
        self._screen.line()
        self._screen.step(text)

    def check(self, text: str, ask: Callable[[], T | None], seconds: float = HOP_SECONDS) -> T:
        """
        The first answer that is true; shown as a hop.

        Raises:
            HopMissing: there was none in time.
        """
        deadline = time.monotonic() + seconds
        while not (response := ask()):
            if time.monotonic() > deadline:
                self._screen.step(f"  FAIL {text}", "red")
                raise HopMissing(text)
            time.sleep(POLL_SECONDS)
        self.count += 1
        self._screen.step(f"  ok   {text}", "green")
        return response

    def hear(self, domain: str, name: str, text: str = "", seconds: float = HOP_SECONDS, **data: object) -> Event:
        """
        The next event of this name, with this data, on a domain's bus, none from an archive; shown as a hop.

        Raises:
            HopMissing: it was not heard in time.
        """
        return self.check(f"{domain + ' bus':<17} {name} {text}".rstrip(), lambda: self._next(domain, name, data), seconds)

    def _next(self, domain: str, name: str, data: dict[str, object]) -> Event | None:
        for event, receipt in receive(self._sqs, self._witnesses[domain]):
            self._sqs.delete_message(QueueUrl=self._witnesses[domain], ReceiptHandle=receipt)
            self._heard[domain].append(event)
        for event in self._heard[domain]:
            if event.name == name and not event.replayed and data.items() <= event.data.items():
                self._heard[domain].remove(event)
                return event
        return None
