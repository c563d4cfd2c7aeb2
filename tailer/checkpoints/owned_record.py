"""
The stored record of a stream, as its owner writes it: each write creates the next version.

A store only has to support this conditional write. A task that was paused while another task took over finds a newer version,
and none of its writes succeeds.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from msgspec.structs import replace

from tailer.errors import LeaseLost
from tailer.model import Record
from tailer.ports import CheckpointStore, Conflict

Clock = Callable[[], float]
"""Monotonic, in seconds."""

log = logging.getLogger(__name__)


class OwnedRecord:
    """
    ``stored`` is the record as this owner last wrote it. ``lost``: another task owns the stream. ``written`` is when the last
    successful write began, and ``tried`` when the last write ended, both by ``clock``. ``failure`` is why the store did not
    accept the last write; empty if it did.
    """

    def __init__(
        self, store: CheckpointStore, stored: Record, *, written: float, clock: Clock, now: Callable[[], datetime]
    ) -> None:
        self.stored = stored
        self.lost = False
        self.written = self.tried = written
        self.failure = ""
        self._store = store
        self._clock = clock
        self._now = now
        self._writing = threading.Lock()

    @property
    def expires_in(self) -> float:
        """Seconds until another task may take the lease."""
        return self.written + self.stored.lease_seconds - self._clock()

    def write(self, latest: Callable[[], Record], owner: str | None = None) -> None:
        """
        Write the ``latest`` record, with a new version and time. An empty ``owner`` frees the lease; later writes do nothing.
        """
        with self._writing:
            if not self.stored.owner:
                return
            started = self._clock()
            try:
                self._replace(latest(), owner)
            except LeaseLost:
                raise
            except Exception as error:
                self._failed(error)
                raise
            finally:
                self.tried = self._clock()
            self.written = started
            if self.failure:
                self.failure = ""
                extra = {"action": "saved_again", "stream": self.stored.stream}
                log.warning("the checkpoint of stream %r is saved again", self.stored.stream, extra=extra)

    def _failed(self, error: Exception) -> None:
        """Keep the reason of a failed write. Log it unless the write before failed too."""
        if not self.failure:
            log.warning(
                "the checkpoint of stream %r could not be saved: %s. The task continues, and its next write saves it. If none "
                "succeeds within %.0f s, the lease expires and the task stops reading the stream",
                *(self.stored.stream, error, max(0.0, self.expires_in)),
                extra={"action": "not_saved", "stream": self.stored.stream},
            )
        self.failure = str(error) or type(error).__name__

    def _replace(self, latest: Record, owner: str | None) -> None:
        try:
            self._write_after(self.stored, latest, owner)
        except Conflict:
            self._replace_own_write(latest, owner)

    def _write_after(self, stored: Record, latest: Record, owner: str | None) -> None:
        record = replace(
            latest,
            version=stored.version + 1,
            owner=stored.owner if owner is None else owner,
            saved_at=self._now().isoformat(timespec="milliseconds"),
        )
        self._store.write(record)
        self.stored = record

    def _replace_own_write(self, latest: Record, owner: str | None) -> None:
        """After a conflict: write again if the conflicting version is our own, whose response was lost."""
        found = self._store.read(self.stored.stream)
        with suppress(Conflict):  # another task took over after the read
            if found is not None and (found.owner, found.fence) == (self.stored.owner, self.stored.fence):
                return self._write_after(found, latest, owner)
        self.lost = True
        raise LeaseLost(
            f"another task owns the lease of stream {self.stored.stream!r} now. This task stops reading the stream and goes on "
            "standby. Nothing is lost"
        )
