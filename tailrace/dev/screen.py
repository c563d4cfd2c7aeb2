"""The output of the demo: one line for each step and each event, with the seconds since the start."""

import os
import sys
import threading
import time
from typing import TextIO

from tailrace.dev.consumer import Received
from tailrace.text.legible import legible

COLOURS = {"green": "32", "red": "31", "yellow": "33", "dim": "2", "bold": "1"}


class Screen:
    """Writes lines, with colours only on a terminal without NO_COLOR. Threads may share it."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._colour = out.isatty() and not os.environ.get("NO_COLOR")
        self._lock = threading.Lock()
        self._start = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._start

    def step(self, text: str, colour: str = "bold") -> None:
        """Show a step of the demo."""
        self._print(f"{self.elapsed:6.2f} s  {self.painted(legible(text), colour)}")

    def event(self, event: Received, latency: float | None, note: str = "") -> None:
        """Show an event that the consumer received."""
        colour = "yellow" if "Cancelled" in event.name else "green"
        name = self.painted(f"{legible(event.name):<16}", colour)
        took = f"{latency * 1000:6.0f} ms" if latency is not None else " " * 9
        about = legible(f"{event.document}  {event.metadata.operation:<6}  #{event.position[1]:<4} {took}")
        self._print(f"{self.elapsed:6.2f} s    {name}  {about}  {self.painted(legible(note), 'dim')}".rstrip())

    def line(self, text: str = "", colour: str = "", more: str = "") -> None:
        """Show ``text`` in this colour, then ``more`` without a colour. Both may have several lines."""
        shown, rest = legible(text, lines=True), legible(more, lines=True)
        self._print((self.painted(shown, colour) if colour else shown) + rest)

    def painted(self, text: str, colour: str) -> str:
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self._colour and text else text

    def _print(self, text: str) -> None:
        with self._lock:
            print(text, file=self._out, flush=True)
