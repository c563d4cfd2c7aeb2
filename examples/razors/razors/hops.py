"""Steps of the stories. Each is polled until it happened, and shown. A missing step ends the run."""

import time
from collections.abc import Callable
from typing import TypeVar

from tailrace.dev.consumer import Consumer, Received
from tailrace.dev.screen import Screen

T = TypeVar("T")

HOP_SECONDS = 30.0  # for one hop, on a machine that is busy with others


class HopMissing(Exception):
    """An expected step did not happen."""


class Hops:
    """Counts and shows the steps. ``witnesses`` receive every event of a bus, by domain."""

    def __init__(self, screen: Screen, witnesses: dict[str, Consumer]) -> None:
        self.count = 0
        self._screen, self._witnesses = screen, witnesses
        self._heard: list[tuple[str, Received]] = []

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

    def holds(self, text: str, value: object) -> None:
        """Show a hop that holds already. Raise ``HopMissing`` if the value is false."""
        self.check(text, lambda: value, 0.0)

    def hear(self, domain: str, name: str, text: str = "", seconds: float = HOP_SECONDS, **data: object) -> Received:
        """Return the next event of this name with this data on a domain's bus, none from an archive, shown as a hop."""

        def heard() -> Received | None:
            self._heard += [(domain, event) for event in self._witnesses[domain].receive()]
            for number, (where, event) in enumerate(self._heard):
                if (where, event.name, event.replay) == (domain, name, "") and data.items() <= event.data.items():
                    return self._heard.pop(number)[1]
            return None

        return self.check(f"{domain + ' bus':<17} {name} {text}".rstrip(), heard, seconds)
