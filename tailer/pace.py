"""How far a source may read ahead of what is sent: as much as there is memory for."""

import threading
from collections.abc import Callable

ROOM = 335_544_320  # bytes: 320 of the 512 MB of a task; 80 are its own, and a reply of the server takes up to 50
UNBOUNDED = 2**63  # bytes: for whoever does not say when it is done with a batch
FREE = 0  # changes: no bound but the room


class Closed(Exception):
    """Nobody wants what would be read."""


class Pace:
    """
    One attempt to tail a stream, seen from the thread that reads: what it must ask before it takes memory, and give back
    after. ``changes`` is how many may be in one batch. ``begin`` is told the id of each change before it is decoded, and says
    why it must not be, or nothing.
    """

    def __init__(self, room: int = ROOM, changes: int = FREE, begin: Callable[[str], str] | None = None) -> None:
        self.changes = changes
        self.begin = begin
        self._room = room
        self._taken = 0
        self._changed = threading.Condition()
        self._closed = False

    def take(self, size: int) -> None:
        """
        Return once there are so many bytes left, or once nothing else is taken: what is larger than the room goes alone.

        Raises:
            Closed: it is no longer wanted.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._taken or self._taken + size <= self._room)
            if self._closed:
                raise Closed
            self._taken += size

    def give_back(self, size: int) -> None:
        """Less is taken by so much; more, where it is negative, which is not waited for."""
        with self._changed:
            self._taken -= size
            self._changed.notify_all()

    def close(self) -> None:
        """Let whoever waits for room leave."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
