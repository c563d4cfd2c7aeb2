"""Ctrl-C and SIGTERM while a command runs: it ends at once, but never in the middle of what must not be half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """Somebody asked the command to end. ``exit_code`` is what a shell makes of a command that ends by that signal."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__()


class Interrupts:
    """Of one process at a time. Where nobody listens, Python's own handlers are in force and nothing is held back."""

    def __init__(self) -> None:
        self._shields = 0
        self._pending = 0

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Raise ``Interrupted`` in the main thread while the block runs. An ignored signal stays ignored."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._heard) for number in numbers}
        try:
            yield
        finally:
            self._shields = self._pending = 0
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Hold an interrupt back until the block has ended."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        self._due()

    def too_late(self) -> None:
        """From now on the command ends by itself: what is decided is done, and said."""
        self._due()
        self._shields += 1

    def _due(self) -> None:
        if self._pending and not self._shields:
            raise Interrupted(self._pending)

    def _heard(self, number: int, _: FrameType | None) -> None:
        self._pending = number
        self._due()


INTERRUPTS = Interrupts()
