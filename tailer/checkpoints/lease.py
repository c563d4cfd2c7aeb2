"""
The lease of a stream and its checkpoint: one record, guarded by one version counter.

Every write carries the version after the one it replaces, so the store only has to support a conditional write. A task that
was paused while another took over finds a newer version, and none of its writes succeeds.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Self

from msgspec.structs import replace

from tailer.background import background
from tailer.checkpoints.save_failures import SaveFailures
from tailer.deaths import NONE
from tailer.errors import LeaseLost, Misconfigured, Rejected, TailerError, Unavailable
from tailer.model import Checkpoint, Record
from tailer.ports import CheckpointStore, Conflict
from tailer.times import seconds

Clock = Callable[[], float]
_SAVE_EVERY = 1.0  # seconds between checkpoints while changes flow: what a crash repeats at most
_RENEWALS_PER_LEASE = 3
_RETRY_AFTER = 1.0  # seconds until a renewal that failed is tried again
_RELEASE_TRIES = 3
_RELEASE_WITHIN = 3.0  # seconds in which a release that failed is tried again: a stop takes 20 s in all


class Lease:
    """The right to tail one stream, renewed in the background until released. Use as a context manager."""

    def __init__(
        self, store: CheckpointStore, record: Record, *, renewed: float, clock: Clock, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._stored = record
        self._ours = replace(record, scanning_since="")
        self._deaths = record.deaths
        self._taken = now().timestamp()
        self._renewed = renewed
        self._saved = renewed
        self._tried = renewed
        self._clock = clock
        self._now = now
        self._lost = False
        self._failures = SaveFailures(record.stream)
        self._writing = threading.Lock()
        self._released = threading.Event()
        self._left = threading.Event()  # never set: to wait

    @property
    def record(self) -> Record:
        """The record as this owner knows it; its version, owner and time are set anew with every write."""
        return self._ours

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Everything up to here is in the queue. None before the stream's first start: until the store holds the first one."""
        return self._ours.checkpoint if self._stored.checkpoint else None

    @property
    def checkpoint_age(self) -> float:
        """Seconds since the checkpoint was last written to the store, by this owner or when it took over."""
        return self._clock() - self._saved

    @property
    def failure(self) -> str:
        """Why the store did not take the last write; empty when it did."""
        return self._failures.reason

    @property
    def careful(self) -> int:
        """How many changes may be processed at a time after several owners died at this position; 0 means no limit."""
        return self._deaths.careful

    def begin(self, change: str) -> str:
        """
        Record durably that this change is now processed alone. Return why it must not be decoded, or an empty string.

        Raises: as ``write``.
        """
        if not (verdict := self._deaths.verdict(change)):
            self._deaths = self._deaths.begins(change)
            self._write()
        return verdict

    def goes_on(self) -> None:
        """Record that the change that was begun alone did not end this task: from here on the task only waits."""
        before, self._deaths = self._deaths, self._deaths.goes_on()
        if self._deaths != before:
            with suppress(Unavailable, LeaseLost):
                self._write()

    def confirm(self) -> None:
        """
        Return only while this task certainly holds the lease.

        Raises:
            LeaseLost: another task took it, or it could not be renewed in time and another task may have taken it.
        """
        if self._lost or self._clock() - self._renewed >= self._stored.lease_seconds:
            raise LeaseLost(f"the lease of stream {self._stored.stream!r} is no longer ours")

    def save(self, checkpoint: Checkpoint) -> None:
        """
        Save that everything up to here is in the queue: durable within a second while changes flow, within the next
        renewal while the stream is idle, and on release. The stream's first one is durable at once.

        If the store fails, the stream continues: a later save or renewal writes the checkpoint, while the lease
        lasts. Until then a crash repeats more changes. While the task is ``careful`` each is durable at once, and so is
        the first one after an owner that died.

        Raises:
            LeaseLost: another task owns the stream; nothing was written.
            Unavailable: the store did not take the stream's first checkpoint, or one of a careful task.
        """
        before = self.checkpoint
        careful = self.careful
        if before and not checkpoint.is_at(before):
            caught_up = checkpoint.sequence == before.sequence and self._is_past_the_dead(checkpoint)
            self._deaths = self._deaths.moved(checkpoint.sequence, caught_up=caught_up)
        self._ours = replace(self._ours, checkpoint=checkpoint, problem="", problem_code=0, scanning_since="")
        if before is None or careful:
            self._write()
        elif self._outlived or (checkpoint.sequence != before.sequence and self._clock() - self._tried >= _SAVE_EVERY):
            with suppress(Unavailable):
                self._write()

    def _is_past_the_dead(self, checkpoint: Checkpoint) -> bool:
        """Whether others before this owner cannot have read as far. An empty reply may say only that the server still scans."""
        return checkpoint.reached is None or seconds(checkpoint.reached) >= self._taken

    @property
    def _outlived(self) -> bool:
        """Whether this owner got further than those that died here, and the store does not know yet."""
        return self._stored.deaths.count > self._deaths.count and not self.failure

    def scanning(self, since: str) -> None:
        """Put the time at which an outstanding read began into the record, for ``tailer status``; the next renewal saves it."""
        if since != self._ours.scanning_since:
            self._ours = replace(self._ours, scanning_since=since)

    def write(self, record: Record) -> None:
        """
        Replace the record by this one, made from ``record``, at once.

        Raises:
            LeaseLost: as ``save``.
            Unavailable: the store does not answer; it is written with the next save or renewal.
        """
        if record.checkpoint and not record.checkpoint.is_at(self._ours.checkpoint):
            self._deaths = NONE
        self._ours = record
        self._write()

    def amend(self, record: Record) -> None:
        """Replace the record by this one, made from ``record``, with the next write."""
        self._ours = record

    def release(self) -> None:
        """Write the last checkpoint and free the lease, so the next task takes over at once. A lost lease stays as it is."""
        self._released.set()
        started = self._clock()
        for tries_left in reversed(range(_RELEASE_TRIES)):
            if self._lost:
                return
            try:
                self._write(owner="")
            except Unavailable:
                if not tries_left or self._clock() - started >= _RELEASE_WITHIN:
                    raise
                self._left.wait(_RETRY_AFTER / 2)
            else:
                return

    def __enter__(self) -> Self:
        background("lease", self._renew, self._released)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.release()
        except (LeaseLost, Unavailable):
            return  # the stored checkpoint is older and still valid; the lease expires by itself

    def _renew(self) -> None:
        """Renew until released or lost. Failures are retried; ``confirm`` stops the loop when the lease expires."""
        every = self._stored.lease_seconds / _RENEWALS_PER_LEASE
        while not self._released.wait(min(every, _RETRY_AFTER) if self.failure else every):
            try:
                self._write()
            except LeaseLost:
                return
            except TailerError:
                continue  # logged already
            except Exception as error:
                self._failed(error)

    def _write(self, owner: str | None = None) -> None:
        with self._writing:
            if self._stored.owner == "":
                return
            started = self._clock()
            try:
                self._replaced(owner)
            except (Unavailable, Misconfigured, Rejected) as error:
                self._failed(error)
                raise
            finally:
                self._tried = self._clock()
            self._renewed = self._saved = started
            self._failures.over()

    def _failed(self, error: Exception) -> None:
        self._failures.failed(error, self._renewed + self._stored.lease_seconds - self._clock())

    def _replaced(self, owner: str | None) -> None:
        try:
            self._replace(self._stored, owner)
        except Conflict:
            self._replace_again(owner)

    def _replace(self, stored: Record, owner: str | None) -> None:
        record = replace(
            self._ours,
            version=stored.version + 1,
            owner=stored.owner if owner is None else owner,
            saved_at=self._now().isoformat(timespec="milliseconds"),
            deaths=self._deaths,
        )
        self._store.write(record)
        self._stored = record

    def _replace_again(self, owner: str | None) -> None:
        """Write again if only the response to an earlier write of ours was lost; else the lease is lost."""
        stored = self._store.read(self._stored.stream)
        with suppress(Conflict):  # once more: somebody took over since this look
            if stored is not None and (stored.owner, stored.fence) == (self._stored.owner, self._stored.fence):
                return self._replace(stored, owner)
        self._lost = True
        raise LeaseLost(f"another task tails stream {self._stored.stream!r} now")
