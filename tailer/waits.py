"""The requests that this process waits for. A command that takes long shows them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Wait:
    """``what`` names the server and the request. ``seconds`` is how long the wait has lasted."""

    what: str
    seconds: float


NO_REQUEST = "a connection, or a name from DNS: no request is outstanding"


class Waits:
    """The outstanding requests, at most one per thread, and other waits by their own keys."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: dict[object, tuple[float, str]] = {}
        self._idle_since = clock()

    def begin(self, what: str, key: object = None) -> None:
        """This thread sends a request. It replaces the thread's last one."""
        self._begun[key or threading.get_ident()] = (self._clock(), what)

    def end(self, key: object = None) -> None:
        """The response is there, or none is expected any more. ``key`` may be a thread that is no longer waited for."""
        self._begun.pop(key or threading.get_ident(), None)
        self._idle_since = self._clock()

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """Count the block as one wait, with all requests in it."""
        key = object()
        self.begin(what, key)
        try:
            yield
        finally:
            self.end(key)

    def longest(self) -> Wait:
        """The wait that has lasted longest. Without a request, the time since the last one."""
        begun, what = min([*self._begun.values()], default=(self._idle_since, NO_REQUEST))
        return Wait(what=what, seconds=self._clock() - begun)


WAITS = Waits()  # of this process, because its clients are shared too
