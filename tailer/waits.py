"""What this process waits for: whoever asks a server says so, and a command that takes long shows it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Wait:
    """``what`` is whom it is for, and to do what. ``seconds`` is how long it has lasted."""

    what: str
    seconds: float


NOTHING_ASKED = "a connection, or a name from DNS: no request is outstanding"


class Waits:
    """The requests that are outstanding, at most one for each thread, and other waits by their own keys."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: dict[object, tuple[float, str]] = {}
        self._idle_since = clock()

    def begin(self, what: str, key: object = None) -> None:
        """A request of this thread is on its way. It replaces the thread's last one."""
        self._begun[key or threading.get_ident()] = (self._clock(), what)

    def end(self, key: object = None) -> None:
        """The response is there, or none is expected any more. ``key`` may be a thread that was given up."""
        self._begun.pop(key or threading.get_ident(), None)
        self._idle_since = self._clock()

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """For what is no request: all that is asked meanwhile belongs to it."""
        key = object()
        self.begin(what, key)
        try:
            yield
        finally:
            self.end(key)

    def longest(self) -> Wait:
        """The one that has lasted longest. Without any, how long nothing was asked and nothing came."""
        begun, what = min([*self._begun.values()], default=(self._idle_since, NOTHING_ASKED))
        return Wait(what=what, seconds=self._clock() - begun)


WAITS = Waits()  # of this process, whose clients are shared too
