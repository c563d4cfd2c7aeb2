"""The record of one stream, its store and its lease."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from tailer.checkpoints.gaps import history_lost_message
from tailer.checkpoints.positions import opened
from tailer.checkpoints.recognition import ACCEPT_CLUSTER, difference, recognised
from tailer.checks import Check, Finding, fail, ok, skip, warn
from tailer.cluster import Cluster
from tailer.errors import EXIT_CODES, HistoryLost, Misconfigured, Unavailable
from tailer.model import Checkpoint, Record
from tailer.ports import CheckpointStore, Source
from tailer.times import rfc3339

_LONGEST_WAIT = 20.0  # seconds for a renewal
_RENEWALS_PER_LEASE = 3
_POLL = 0.2  # seconds
_STOPPED_FOR = {code: error for error, code in EXIT_CODES.items()}


@dataclass(kw_only=True)
class StoredRecord:
    """
    The record of one stream, as ``read`` found it.

    ``store`` and ``source`` return the stream's: if they cannot be made, the check that needs them fails. ``watched`` returns
    the watched cluster.
    """

    stream: str
    identity: str
    store: Callable[[], CheckpointStore]
    source: Callable[[], Source]
    watched: Callable[[], Cluster]
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _record: Record | None = None
    _read_at: float = 0.0

    def checks(self, stored: Check) -> list[Check]:
        """The checks after ``stored``, which reads the record."""
        check = partial(Check, outage=stored.outage, mistake=stored.mistake, needs=(stored.name,))
        return [
            check(name="stream.settings", run=self.settings),
            check(name="stream.problem", run=self.problem),
            check(name="stream.lease", run=self.lease, seconds=_LONGEST_WAIT + 2),
        ]

    def checkpoint(self) -> Checkpoint | None:
        """Return where the next tailer continues; None before the first start."""
        return self._record.checkpoint if self._record else None

    def read(self) -> Finding:
        """Check that the store responds; the finding shows how far the stream was delivered."""
        self._record, self._read_at = self.store().read(self.stream), self.clock()
        if (checkpoint := self.checkpoint()) is None:
            return ok("no checkpoint: the stream was never started")
        return ok(f"delivered up to {rfc3339(checkpoint.reached)}, sequence {checkpoint.sequence}")

    def readable(self) -> Finding:
        """Check that the change stream opens where the next tailer opens it."""
        source, checkpoint = self.source(), self.checkpoint()
        start = checkpoint or source.first()
        try:
            opened(source, start.position)
        except HistoryLost as error:
            return fail(str(error), history_lost_message(self.stream, checkpoint), HistoryLost)
        return ok(f"opens {'after' if checkpoint else 'at TAILER_START,'} {rfc3339(start.reached)}")

    def settings(self) -> Finding:
        """Check that the checkpoint was written with these settings."""
        if not self._record or not self._record.identity:
            return ok("no checkpoint yet")
        if self._record.identity == self.identity:
            return ok("the checkpoint matches the settings")
        if not self._record.delivered:
            return ok("the checkpoint has other settings, but nothing was delivered yet: the new settings will apply")
        return fail(
            f"the checkpoint was written with other settings: {difference(self._record.identity, self.identity)}",
            "restore the old settings, or let the queue run empty and accept the new ones: tailer checkpoint accept-settings",
        )

    def cluster(self) -> Finding:
        """Check that the checkpoint is a position in the history of the watched cluster."""
        watched = self.watched()
        if self._record is None or self._record.checkpoint is None:
            return ok(f"no checkpoint yet; the cluster is the {watched}")
        try:
            recognised(self._record, watched)
        except Misconfigured as error:
            return fail(str(error), f"correct TAILER_MONGODB_URI, or accept it: {ACCEPT_CLUSTER}")
        return ok(f"the checkpoint is of the {watched}")

    def problem(self) -> Finding:
        """Check that the last task did not stop for good, and that tasks do not die at this position."""
        if self._record and self._record.problem:
            error = _STOPPED_FOR.get(self._record.problem_code, Unavailable)
            return fail(f"the last task stopped: {self._record.problem}", "fix that, then start the task again", error)
        if self._record and self._record.crashes.batch_limit:
            return warn(f"tasks died: {self._record.crashes}", "find out why they ended (exit code 137: out of memory)")
        return ok("none recorded")

    def lease(self) -> Finding:
        """Check that a task tails the stream: wait until it renews its lease, or half as long again as a renewal takes."""
        if self._record is None or not (owner := self._record.owner):
            return self._nobody()
        every = self._record.lease_seconds / _RENEWALS_PER_LEASE
        if every * 1.5 > _LONGEST_WAIT:
            if self._record.overdue(self.now()):
                return self._not_renewed(self._record)
            return skip(f"{owner}; it renews every {every:.0f} s, which is longer than the doctor waits")
        while (self.store().read(self.stream) or Record(stream=self.stream)).version == self._record.version:
            if self.clock() - self._read_at > every * 1.5:
                return self._not_renewed(self._record)
            self.sleep(_POLL)
        return ok(f"{owner} tails it, owner number {self._record.fence}")

    def _not_renewed(self, record: Record) -> Finding:
        """Judge an owner that does not renew: within its lease it may renew again, or a standby takes over."""
        found = f"{record.owner} has not renewed its lease since {record.saved_at or 'an unknown time'}"
        if record.overdue(self.now()):
            return warn(f"{found}: it ended or hangs, and no standby took over", "start a task: tailer run")
        return warn(found, f"see its log; a standby takes over after {record.lease_seconds:g} s")

    def _nobody(self) -> Finding:
        if self.checkpoint() is None:
            return ok("nobody tails it: it was never started")
        saved = self._record.saved_at if self._record else ""
        return warn(f"nobody tails it since {saved or 'an unknown time'}", "start a task: tailer run")
