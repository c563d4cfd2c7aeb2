"""Steps of the stories. Each is polled until it happened, and shown. A missing step ends the run."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from tailrace.consuming import Event, Events
from tailrace.dev.screen import Screen

T = TypeVar("T")
AnyEvent = Event[dict[str, Any]]

HOP_SECONDS = 30.0  # for one hop, on a machine that is busy with others
NOW = 0.0  # seconds: it holds already or it never will
EVENTS = Events()


class HopMissing(Exception):
    """An expected step did not happen."""


class Hops:
    """Counts and shows the steps. ``witnesses`` are queues by domain that receive every event of a bus."""

    def __init__(self, screen: Screen, sqs: Any, witnesses: dict[str, str]) -> None:
        self.count = 0
        self._screen, self._sqs, self._witnesses = screen, sqs, witnesses
        self._heard: list[tuple[str, AnyEvent]] = []

    def chapter(self, text: str) -> None:
        """Show what happens now."""
        self._screen.line()
        self._screen.step(text)

    def check(self, text: str, ask: Callable[[], T | None], seconds: float = HOP_SECONDS) -> T:
        """Return the first response that is true, shown as a hop. Raise ``HopMissing`` if there was none in time."""
        deadline = time.monotonic() + seconds
        while not (response := ask()):
            if time.monotonic() > deadline:
                raise HopMissing(f"A HOP IS MISSING: {text}")
            time.sleep(0.05)
        self.count += 1
        self._screen.step(f"  ok   {text}", "green")
        return response

    def hear(self, domain: str, name: str, text: str = "", seconds: float = HOP_SECONDS, **data: object) -> AnyEvent:
        """Return the next event of this name with this data on a domain's bus, none from an archive, shown as a hop."""

        def heard() -> AnyEvent | None:
            queue = {"QueueUrl": self._witnesses[domain]}
            response = self._sqs.receive_message(**queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in response.get("Messages", ()):
                self._sqs.delete_message(**queue, ReceiptHandle=message["ReceiptHandle"])
            self._heard += [(domain, event) for event in EVENTS.of(response)]
            for number, (where, event) in enumerate(self._heard):
                if (where, event.name, event.replay) == (domain, name, "") and data.items() <= event.data.items():
                    return self._heard.pop(number)[1]
            return None

        return self.check(f"{domain + ' bus':<17} {name} {text}".rstrip(), heard, seconds)
