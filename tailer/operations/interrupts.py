"""Ctrl-C and SIGTERM during a command. The command ends at once, but never in a step that must be completed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A signal ended the command. ``exit_code`` is the one that a shell reports for this signal."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__()


class Interrupts:
    """The signals of this process. Outside of ``handled``, Python's own handlers are in force and no interrupt is delayed."""

    def __init__(self) -> None:
        self._shields = 0
        self._pending = 0

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Raise ``Interrupted`` in the main thread while the block runs. An ignored signal stays ignored."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, self._receive) for number in numbers}
        try:
            yield
        finally:
            self._shields = self._pending = 0
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Delay an interrupt until the block has ended."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        self._raise_pending()

    def too_late(self) -> None:
        """Ignore interrupts from now on: the command completes its last step and prints the result."""
        self._raise_pending()
        self._shields += 1

    def _raise_pending(self) -> None:
        if self._pending and not self._shields:
            raise Interrupted(self._pending)

    def _receive(self, number: int, _: FrameType | None) -> None:
        self._pending = number
        self._raise_pending()


INTERRUPTS = Interrupts()
