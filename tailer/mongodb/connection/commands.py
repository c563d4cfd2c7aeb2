"""The commands of a MongoDB client that wait for their reply."""

import threading
import time
from collections.abc import Callable

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from tailer.waits import WAITS

_REPLIES = {"getMore": "to scan its history", "aggregate": "to respond to a query, or to open a change stream"}


class Commands(CommandListener):
    """
    Since when each thread has waited for the reply to a command. pymongo calls this listener in the thread that waits.

    A command counts from when it is sent on an open connection. While pymongo looks for a server or connects to it, no command
    is outstanding.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[int, float] = {}
        self._failed_after: dict[int, float] = {}

    def failed_after(self, thread: int) -> float:
        """How many seconds the last failed command of the thread took. 0 if none failed."""
        return self._failed_after.get(thread, 0.0)

    def seconds(self, thread: int) -> float | None:
        """For how many seconds the thread has waited for a reply. None if it does not wait."""
        since = self._since.get(thread)
        return None if since is None else self._clock() - since

    def started(self, event: CommandStartedEvent) -> None:
        host, port = event.connection_id
        self._since[threading.get_ident()] = self._clock()
        WAITS.begin(f"MongoDB at {host}:{port} {_REPLIES.get(event.command_name, f'to respond to {event.command_name}')}")

    def succeeded(self, event: CommandSucceededEvent) -> None:  # noqa: ARG002 - pymongo's
        self._since.pop(threading.get_ident(), None)
        WAITS.end()

    def failed(self, event: CommandFailedEvent) -> None:
        self._failed_after[threading.get_ident()] = event.duration_micros / 1e6
        self._since.pop(threading.get_ident(), None)
        WAITS.end()
