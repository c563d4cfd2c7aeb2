"""How far a source may read ahead of the sink. The limit is the memory of the task."""

import threading
from collections.abc import Callable

MEMORY_LIMIT = 335_544_320  # bytes: 320 of a task's 512 MB; the process takes 80, and a reply of the server up to 50
UNLIMITED_MEMORY = 2**63  # bytes: for a caller that never releases what a batch took
UNLIMITED_BATCH = 0  # changes


class Closed(Exception):
    """The loop has ended, so nothing more may be read."""


class ReadLimits:
    """
    The limits of one attempt to tail a stream. The reading thread reserves memory here; the loop releases it.

    ``batch_limit`` is the highest number of changes in a batch. ``before_decoding`` is called with the id of each change before
    the change is decoded, and returns the reason why it must not be decoded, or an empty string.
    """

    def __init__(
        self,
        memory: int = MEMORY_LIMIT,
        batch_limit: int = UNLIMITED_BATCH,
        before_decoding: Callable[[str], str] | None = None,
    ) -> None:
        self.batch_limit = batch_limit
        self.before_decoding = before_decoding
        self._memory = memory
        self._reserved = 0
        self._changed = threading.Condition()
        self._closed = False

    def reserve(self, size: int) -> None:
        """
        Wait until ``size`` bytes are free, then reserve them. A size above the limit waits until nothing else is reserved.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._reserved or self._reserved + size <= self._memory)
            if self._closed:
                raise Closed
            self._reserved += size

    def release(self, size: int) -> None:
        """Release ``size`` bytes. A negative size reserves bytes without waiting."""
        with self._changed:
            self._reserved -= size
            self._changed.notify_all()

    def close(self) -> None:
        """End every wait for memory with ``Closed``."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
