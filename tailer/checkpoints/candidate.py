"""The lease candidate: acquires a lease that is free, or whose owner did not renew it in time."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from msgspec.structs import replace

from tailer.checkpoints.lease import Lease
from tailer.checkpoints.owned_record import Clock, OwnedRecord
from tailer.checkpoints.recognition import difference, recognised
from tailer.cluster import Cluster
from tailer.crashes import Crashes
from tailer.errors import Misconfigured
from tailer.model import Record
from tailer.ports import CheckpointStore, Conflict

log = logging.getLogger(__name__)


class LeaseCandidate:
    """
    A task that wants the lease of a stream. ``owner`` is unique to the process; ``clock`` is monotonic, in seconds; ``now`` is
    the time of day, recorded for people only; ``cluster`` returns the identity of the watched cluster.
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
        cluster: Callable[[], Cluster | None] = lambda: None,
    ) -> None:
        self._store = store
        self._wanted = Record(stream=stream, owner=owner, identity=identity, lease_seconds=seconds)
        self._clock = clock
        self._now = now
        self._read_cluster = cluster
        self._cluster: Cluster | None = None
        self._seen_version = -1
        self._seen_since = 0.0

    def try_acquire(self) -> Lease | None:
        """
        Return the lease if it is free, or if its owner has not written for the lease time by this task's clock; else None.

        A checkpoint of another cluster, or of a stream that watches something else, is ``Misconfigured``, even while the owner
        lives: this task could not take over.
        """
        found = self._read()
        self._refuse_another_identity(found)
        wanted = self._of_our_cluster(self._with_our_identity(found))
        if lease := self._take(found, wanted):
            self._log_changes(found, wanted)
        return lease

    def try_acquire_to_decide(self) -> Lease | None:
        """As ``try_acquire``, for a subcommand: the settings and the cluster are not checked, and the record keeps its own."""
        found = self._read()
        return self._take(found, found)

    def problem(self) -> str:
        """Why the stream's last owner stopped for good, by the record. Empty once a person has decided."""
        return self._read().problem

    def _read(self) -> Record:
        return self._store.read(self._wanted.stream) or Record(stream=self._wanted.stream)

    def _take(self, found: Record, wanted: Record) -> Lease | None:
        if found.owner and not self._is_expired(found):
            return None
        taken = replace(
            wanted,
            version=found.version + 1,
            fence=found.fence + 1,
            owner=self._wanted.owner,
            lease_seconds=self._wanted.lease_seconds,
            crashes=self._crashes(found),
        )
        started = self._clock()
        try:
            self._store.write(taken)
        except Conflict:
            return None
        return Lease(
            OwnedRecord(self._store, taken, written=started, clock=self._clock, now=self._now),
            acquired=self._now(),
            clock=self._clock,
        )

    def _crashes(self, found: Record) -> Crashes:
        """An owner that did not release its lease crashed, unless it is this task, which lost the lease in a store outage."""
        if found.owner in ("", self._wanted.owner):
            return found.crashes.after_release()
        return found.crashes.after_crash(found.checkpoint.sequence if found.checkpoint else 0)

    def _is_expired(self, found: Record) -> bool:
        """Whether the version has not changed for the lease time, by this task's clock."""
        if found.version != self._seen_version:
            self._seen_version, self._seen_since = found.version, self._clock()
        return self._clock() - self._seen_since >= found.lease_seconds

    def _refuse_another_identity(self, found: Record) -> None:
        """Refuse other settings once something was delivered; before that, only while the owner is seen to renew its lease."""
        if found.identity in ("", self._wanted.identity):
            return
        owner_lives = bool(found.owner) and self._seen_version not in (-1, found.version)
        if found.delivered or owner_lives:
            raise Misconfigured(
                f"the checkpoint of stream {found.stream!r} was written with other settings: "
                f"{difference(found.identity, self._wanted.identity)}. With the new settings, sequence numbers and lanes would "
                "no longer mean the same. Restore the old settings, or let the queue run empty and accept the new settings "
                f"with: tailer checkpoint accept-settings --stream {found.stream}"
            )

    def _with_our_identity(self, found: Record) -> Record:
        """With a new generation if the identity changes: a task that ended before it saved may have sent changes."""
        checkpoint = found.checkpoint
        if checkpoint and found.identity not in ("", self._wanted.identity):
            checkpoint = replace(checkpoint, generation=checkpoint.generation + 1)
        return replace(found, identity=self._wanted.identity, checkpoint=checkpoint)

    def _of_our_cluster(self, found: Record) -> Record:
        """Read the cluster's identity once, and again before refusing it: the first response may be outdated."""
        if self._cluster is not None:
            with suppress(Misconfigured):
                return recognised(found, self._cluster)
        self._cluster = self._read_cluster()
        return recognised(found, self._cluster)

    def _log_changes(self, found: Record, ours: Record) -> None:
        if found.checkpoint is None:
            return
        if found.identity not in ("", ours.identity):
            log.warning(
                "the settings of stream %r have changed. It has not delivered anything yet, so the new settings apply: %s",
                *(found.stream, difference(found.identity, ours.identity)),
                extra={"action": "settings_taken", "stream": found.stream},
            )
        if found.cluster is None and ours.cluster is not None:
            log.info(
                "the checkpoint of stream %r did not name its cluster. From now on it belongs to the %s",
                *(found.stream, ours.cluster),
                extra={"action": "cluster_adopted", "stream": found.stream},
            )
