"""The reads of a change stream: a client of their own, which waits for a server that looks through history."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pymongo import MongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from tailer.mongodb.connection.client import TIMEOUTS, client

_CONNECT = 20_000  # ms; also how long the server's monitor waits for an answer: a server that is busy reading may be slow


class OutstandingReads(CommandListener):
    """
    Since when the server owes the reply to a command, by the thread that waits for it.

    A command counts from when it is sent on an open connection: while a server is looked for, or does not accept a connection,
    none is outstanding.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[int, float] = {}
        self._failed_after: dict[int, float] = {}

    def failed_after(self, thread: int) -> float:
        """How long the thread's last command took that failed; 0 where none did."""
        return self._failed_after.get(thread, 0.0)

    def seconds(self, thread: int) -> float | None:
        """For how long the thread has waited for a reply; nothing where it does not."""
        since = self._since.get(thread)
        return None if since is None else self._clock() - since

    def started(self, event: CommandStartedEvent) -> None:  # noqa: ARG002 - pymongo's
        """Called by pymongo in the thread that waits, like the next two."""
        self._since[threading.get_ident()] = self._clock()

    def succeeded(self, event: CommandSucceededEvent) -> None:  # noqa: ARG002 - pymongo's
        self._since.pop(threading.get_ident(), None)

    def failed(self, event: CommandFailedEvent) -> None:
        thread = threading.get_ident()
        self._since.pop(thread, None)
        self._failed_after[thread] = event.duration_micros / 1e6


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A client for change streams only. ``seconds`` is how long it waits for one reply of a server that lives."""

    client: "MongoClient[Any]"
    outstanding: OutstandingReads
    seconds: float


def reader(
    uri: str, setting: str = "TAILER_MONGODB_URI", username: str = "", password: str = "", *, seconds: float = 3_600
) -> Reader:
    """
    A client whose reads may take ``seconds``, whatever the URI says of ``socketTimeoutMS``.

    A server that is gone is noticed sooner: pymongo's monitor asks it every ``heartbeatFrequencyMS`` (10 s) on a connection of
    its own, and when no answer comes within ``connectTimeoutMS`` (20 s) it ends the reads that are outstanding. A connection
    that alone is dead is found by TCP keepalive, which pymongo sets: after 120 s of silence, nine probes of 10 s.

    Raises: as ``client``.
    """
    outstanding = OutstandingReads()
    own: dict[str, Any] = {"socketTimeoutMS": round(seconds * 1000), "event_listeners": [outstanding]}
    timeouts = {**TIMEOUTS, "connectTimeoutMS": _CONNECT}
    return Reader(
        client=client(uri, setting, username, password, timeouts=timeouts, own=own), outstanding=outstanding, seconds=seconds
    )


_connecting = threading.Lock()
_cached = cache(reader)


def connect_reader(uri: str, setting: str, username: str, password: str, seconds: float) -> Reader:
    """
    The one reader of this process for each cluster, however many threads ask.

    Raises: as ``client``.
    """
    with _connecting:
        return _cached(uri, setting, username, password, seconds=seconds)
