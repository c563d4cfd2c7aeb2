"""
Who may tail a stream now, and how far it got: one record, guarded by one counter.

Every write carries the version after the one it replaces, so a store that can compare and replace is all it takes: a task
that was paused while another took over finds a newer version, and nothing it writes is stored.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self

from msgspec.structs import replace

from tailer.errors import LeaseLost, Misconfigured, Unavailable
from tailer.model import Checkpoint, Record
from tailer.ports import CheckpointStore, Conflict

Clock = Callable[[], float]
_SAVE_EVERY = 1.0  # seconds between checkpoints while changes flow: what a crash repeats at most
_RENEWALS_PER_LEASE = 3


class Contender:
    """
    One task that wants the lease of a stream. ``owner`` is unique to the process; ``clock`` is monotonic, in seconds; ``now``
    is the time of day, which is only written down for people.
    """

    def __init__(
        self,
        store: CheckpointStore,
        *,
        stream: str,
        identity: str,
        owner: str,
        seconds: float,
        clock: Clock,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._wanted = Record(stream=stream, owner=owner, identity=identity, lease_seconds=seconds)
        self._clock = clock
        self._now = now
        self._seen = -1
        self._since = 0.0

    def try_acquire(self, *, any_identity: bool = False) -> "Lease | None":
        """
        The lease if it is free or its owner has stood still for the lease time, by our own clock; else nothing.

        Raises:
            Misconfigured: the checkpoint belongs to a stream that watches something else, and not ``any_identity``.
            Unavailable: the store does not answer.
        """
        found = self._store.read(self._wanted.stream) or Record(stream=self._wanted.stream)
        if found.owner and not self._stood_still(found):
            return None
        if not any_identity:
            self._refuse_another_identity(found)
        taken = replace(
            found,
            version=found.version + 1,
            fence=found.fence + 1,
            owner=self._wanted.owner,
            lease_seconds=self._wanted.lease_seconds,
            identity=found.identity or self._wanted.identity,
        )
        started = self._clock()
        try:
            self._store.write(taken)
        except Conflict:
            return None
        return Lease(self._store, taken, renewed=started, clock=self._clock, now=self._now)

    def _stood_still(self, found: Record) -> bool:
        if found.version != self._seen:
            self._seen, self._since = found.version, self._clock()
        return self._clock() - self._since >= found.lease_seconds

    def _refuse_another_identity(self, found: Record) -> None:
        if found.identity and found.identity != self._wanted.identity:
            raise Misconfigured(
                f"the checkpoint of stream {found.stream!r} was made for {found.identity}, but the settings now say "
                f"{self._wanted.identity}: sequence numbers and lanes would no longer mean the same. Set them back, or let the "
                f"queue run empty and accept them with: tailer checkpoint accept-settings --stream {found.stream}"
            )


class Lease:
    """The right to tail one stream, renewed in the background until released. Use as a context manager."""

    def __init__(
        self, store: CheckpointStore, record: Record, *, renewed: float, clock: Clock, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._stored = record
        self._ours = record
        self._renewed = renewed
        self._saved = renewed
        self._clock = clock
        self._now = now
        self._lost = False
        self._writing = threading.Lock()
        self._released = threading.Event()

    @property
    def record(self) -> Record:
        """The record as this owner knows it; its version, owner and time are set anew with every write."""
        return self._ours

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Everything up to here is in the queue; none before the stream's first start."""
        return self._ours.checkpoint

    def confirm(self) -> None:
        """
        Return only while the lease is surely ours.

        Raises:
            LeaseLost: another task took it, or it could not be renewed in time and another task may have taken it.
        """
        if self._lost or self._clock() - self._renewed >= self._stored.lease_seconds:
            raise LeaseLost(f"the lease of stream {self._stored.stream!r} is no longer ours")

    def save(self, checkpoint: Checkpoint) -> None:
        """
        Remember that everything up to here is in the queue: durable within a second while changes flow, within the next
        renewal while the stream is idle, and on release.

        Raises:
            LeaseLost: another task owns the stream; nothing was written.
            Unavailable: the store does not answer; the checkpoint is kept and written with the next save or renewal.
        """
        before = self._ours.checkpoint
        self._ours = replace(self._ours, checkpoint=checkpoint, problem="")
        moved = before is None or checkpoint.sequence != before.sequence
        if before is None or (moved and self._clock() - self._saved >= _SAVE_EVERY):
            self._write()

    def write(self, record: Record) -> None:
        """
        Replace the record by this one, made from ``record``, at once.

        Raises: as ``save``.
        """
        self._ours = record
        self._write()

    def release(self) -> None:
        """Write the last checkpoint and let the next task in at once. A lease already lost is left alone."""
        self._released.set()
        if not self._lost:
            self._write(owner="")

    def __enter__(self) -> Self:
        threading.Thread(target=self._renew, name="lease", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.release()
        except (LeaseLost, Unavailable):
            return  # the checkpoint in the store is older and holds; the lease runs out by itself

    def _renew(self) -> None:
        while not self._released.wait(self._stored.lease_seconds / _RENEWALS_PER_LEASE):
            try:
                self._write()
            except LeaseLost:
                return
            except Exception:  # noqa: S112 - whatever fails, confirm() stops the loop when time is up
                continue

    def _write(self, owner: str | None = None) -> None:
        with self._writing:
            if self._stored.owner == "":
                return
            started = self._clock()
            try:
                self._replace(self._stored, owner)
            except Conflict:
                self._replace(self._ours_as_stored(), owner)
            self._renewed = self._saved = started

    def _replace(self, stored: Record, owner: str | None) -> None:
        record = replace(
            self._ours,
            version=stored.version + 1,
            owner=stored.owner if owner is None else owner,
            saved_at=self._now().isoformat(timespec="milliseconds"),
        )
        self._store.write(record)
        self._stored = record

    def _ours_as_stored(self) -> Record:
        """Our own record as stored, when only the answer to an earlier write was lost."""
        stored = self._store.read(self._stored.stream)
        if stored is None or (stored.owner, stored.fence) != (self._stored.owner, self._stored.fence):
            self._lost = True
            raise LeaseLost(f"another task tails stream {self._stored.stream!r} now")
        return stored
