"""The lease of a stream and its checkpoint: one record, so that one conditional write guards both."""

import threading
from contextlib import suppress
from datetime import datetime
from typing import Self

from msgspec.structs import replace
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay, wait_fixed

from tailer.background import background
from tailer.checkpoints.owned_record import Clock, OwnedRecord
from tailer.crashes import NONE
from tailer.errors import LeaseLost, Unavailable
from tailer.model import Checkpoint, Record
from tailer.times import seconds

_SAVE_EVERY = 1.0  # seconds between two checkpoints while changes arrive: what a crash repeats at most
_RENEWALS_PER_LEASE = 3
_RETRY_AFTER = 1.0  # seconds from a failed renewal to the next
_RELEASE_TRIES = 3
_RELEASE_WITHIN = 3.0  # seconds in which a failed release is tried again: a task must stop within 20 s


class Lease:
    """
    The right to tail one stream, renewed in the background until released. Use as a context manager.

    The next save or renewal stores ``record``; ``write`` stores it at once. Each write sets version, owner, time and crashes
    anew.
    """

    def __init__(self, owned: OwnedRecord, *, acquired: datetime, clock: Clock) -> None:
        self._owned = owned
        self.record = replace(owned.stored, scanning_since="")
        self._crashes = owned.stored.crashes  # apart from the record: the reading thread changes them
        self._acquired = acquired.timestamp()
        self._clock = clock
        self._released = threading.Event()

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Every change up to here is in the queue. None until the store has the stream's first checkpoint."""
        return self.record.checkpoint if self._owned.stored.checkpoint else None

    @property
    def checkpoint_age(self) -> float:
        """Seconds since the checkpoint was last written to the store, or since the lease was acquired."""
        return self._clock() - self._owned.written

    @property
    def failure(self) -> str:
        """Why the store did not accept the last write. Empty if it did."""
        return self._owned.failure

    @property
    def batch_limit(self) -> int:
        """The highest number of changes in a batch, after several tasks crashed at this position. 0: no limit."""
        return self._crashes.batch_limit

    def before_decoding(self, change: str) -> str:
        """Record durably that this change is decoded alone now. Return why it must not be decoded, or an empty string."""
        if not (reason := self._crashes.poison_reason(change)):
            self._crashes = self._crashes.before_decoding(change)
            self._write()
        return reason

    def after_decoding(self) -> None:
        """Record that the change was decoded without a crash. From here on the task only waits for servers."""
        before, self._crashes = self._crashes, self._crashes.after_decoding()
        if self._crashes != before:
            with suppress(Unavailable, LeaseLost):
                self._write()

    def confirm(self) -> None:
        """Return only while this task certainly holds the lease; else raise ``LeaseLost``: another task may have it."""
        if self._owned.lost or self._owned.expires_in <= 0:
            raise LeaseLost(
                f"this task no longer holds the lease of stream {self.record.stream!r}: another task took it, or the task "
                "could not renew it in TAILER_CHECKPOINTS in time. The task stops reading the stream and goes on standby. "
                "Nothing is lost"
            )

    def save(self, checkpoint: Checkpoint) -> None:
        """
        Save that every change up to here is in the queue. It is durable within a second while changes arrive, with the next
        renewal while the stream is idle, and on release. The first checkpoint of a stream, each one under a ``batch_limit`` and
        the first one after a crash are durable at once.

        If the store fails, the stream continues: a later write saves the checkpoint while the lease lasts. Until then a crash
        repeats more changes.

        Raises:
            LeaseLost: another task owns the stream; nothing was written.
            Unavailable: the store did not accept the stream's first checkpoint, or one under a ``batch_limit``.
        """
        before, batch_limit = self.checkpoint, self.batch_limit
        due = self._clock() - self._owned.tried >= _SAVE_EVERY
        if before and not checkpoint.is_at(before):
            caught_up = checkpoint.sequence == before.sequence and self._is_after_the_crashed(checkpoint)
            self._crashes = self._crashes.after_progress(checkpoint.sequence, caught_up=caught_up)
        self.record = replace(self.record, checkpoint=checkpoint, problem="", problem_code=0, scanning_since="")
        if before is None or batch_limit:
            self._write()
        elif self._outlived_a_crash or (checkpoint.sequence != before.sequence and due):
            with suppress(Unavailable):
                self._write()

    def _is_after_the_crashed(self, checkpoint: Checkpoint) -> bool:
        """Whether no crashed task can have read this far. An empty reply may only mean that the server still scans."""
        return checkpoint.reached is None or seconds(checkpoint.reached) >= self._acquired

    @property
    def _outlived_a_crash(self) -> bool:
        """Whether this task made progress after a crash, and the store does not have that yet."""
        return self._owned.stored.crashes.count > self._crashes.count and not self.failure

    def write(self, record: Record) -> None:
        """
        Store this record, made from ``record``, at once. If the store does not respond, the next save or renewal writes it.
        """
        if record.checkpoint and not record.checkpoint.is_at(self.record.checkpoint):
            self._crashes = NONE
        self.record = record
        self._write()

    def release(self) -> None:
        """
        Write the last checkpoint and free the lease, so that a standby takes over at once. A lost lease stays as it is. If the
        store does not respond, the lease expires.
        """
        self._released.set()
        if self._owned.lost:
            return
        retrying = Retrying(
            retry=retry_if_exception_type(Unavailable),
            wait=wait_fixed(_RETRY_AFTER / 2),
            stop=stop_after_attempt(_RELEASE_TRIES) | stop_after_delay(_RELEASE_WITHIN),
            reraise=True,
        )
        retrying(self._write, "")

    def __enter__(self) -> Self:
        background("lease", self._renew, self._released)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(LeaseLost, Unavailable):  # the stored checkpoint is older and still valid; the lease expires
            self.release()

    def _renew(self) -> None:
        """Renew until released or lost. A failed renewal is tried again; ``confirm`` ends the loop when the lease expires."""
        every = self._owned.stored.lease_seconds / _RENEWALS_PER_LEASE
        while not self._released.wait(min(every, _RETRY_AFTER) if self.failure else every):
            with suppress(Exception):  # OwnedRecord logged it
                self._write()
            if self._owned.lost:
                return

    def _write(self, owner: str | None = None) -> None:
        self._owned.write(lambda: replace(self.record, crashes=self._crashes), owner)
