"""What is stored of a stream, and whether the store keeps its promise: a stale write changes nothing."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from msgspec.structs import replace

from tailer.checkpoints.recognition import ACCEPT_CLUSTER, recognised
from tailer.checkpoints.stream_identity import difference
from tailer.cluster import Cluster
from tailer.doctor.finding import Clock, Verdict, fail, ok, skip, warn
from tailer.errors import EXIT_CODES, Misconfigured, Rejected, Unavailable
from tailer.model import Checkpoint, Record
from tailer.parts import Parts
from tailer.ports import CheckpointStore, Conflict
from tailer.times import rfc3339

PROBE = "~doctor"  # no stream can be called that
WATCHED = 20.0  # seconds for which a lease is looked at, at most
_RENEWALS_PER_LEASE = 3
_POLL = 0.2  # seconds


class Records:
    """The record of one stream, as ``read`` found it."""

    def __init__(
        self,
        parts: Parts,
        *,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._record: Record | None = None
        self._read_at = 0.0

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Where the next tailer goes on; none before the first start, or where the store cannot be read."""
        return self._record.checkpoint if self._record else None

    def read(self) -> Verdict:
        """Whether the store answers, and what it holds of the stream."""
        self._record, self._read_at = self._store.read(self._settings.stream), self._clock()
        if self.checkpoint is None:
            return ok("no checkpoint: the stream was never started")
        return ok(f"delivered up to {rfc3339(self.checkpoint.reached)}, sequence {self.checkpoint.sequence}")

    def write(self) -> Verdict:
        """A record of our own is written, and then once more as one who had not noticed: that must change nothing."""
        try:
            stored = _written(self._store)
        except Misconfigured as error:
            if "AccessDenied" not in str(error):
                raise
            return warn(f"the doctor may not write its own record: {error}", f"allow the key {PROBE} in the policy of the role")
        try:
            self._store.write(replace(stored, owner="stale"))
        except Conflict:
            if self._store.read(PROBE) == stored:
                return ok("written, and a stale write was refused")
        return fail("the store accepts a stale write: two tasks could overwrite each other's checkpoints", _FENCE, Rejected)

    def settings(self) -> Verdict:
        """Whether the checkpoint was made for what the settings say now."""
        stored = self._record.identity if self._record else ""
        if not stored or stored == self._settings.identity:
            return ok("the checkpoint matches the settings" if stored else "no checkpoint yet")
        if self._record and not self._record.delivered:
            return ok("the checkpoint has other settings, but nothing was delivered yet: the new settings will apply")
        return fail(
            f"the checkpoint was written with other settings: {difference(stored, self._settings.identity)}",
            "restore the old settings, or let the queue run empty and accept the new ones: tailer checkpoint accept-settings",
        )

    def cluster(self, watched: Cluster) -> Verdict:
        """Whether the checkpoint is a position in the history of the cluster that is watched."""
        if self._record is None or self._record.checkpoint is None:
            return ok(f"no checkpoint yet; the cluster is the {watched}")
        try:
            recognised(self._record, watched)
        except Misconfigured as error:
            return fail(str(error), f"correct TAILER_MONGODB_URI, or accept it: {ACCEPT_CLUSTER}")
        return ok(f"the checkpoint is of the {watched}")

    def problem(self) -> Verdict:
        """Whether the last owner stopped for good, or several died at this position."""
        if self._record and self._record.problem:
            error = _STOPPED_FOR.get(self._record.problem_code, Unavailable)
            return fail(f"the last task stopped: {self._record.problem}", "fix that, then start the task again", error)
        if self._record and self._record.crashes.batch_limit:
            return warn(f"tasks died: {self._record.crashes}", "find out why they ended (exit code 137: out of memory)")
        return ok("none recorded")

    def lease(self) -> Verdict:
        """Who tails the stream, and whether its lease is being renewed: watched until it is, or for longer than that takes."""
        if self._record is None or not (owner := self._record.owner):
            return self._nobody()
        every = self._record.lease_seconds / _RENEWALS_PER_LEASE
        if every * 1.5 > WATCHED:
            if self._record.overdue(self._now()):
                return self._silent(self._record)
            return skip(f"{owner}; it renews every {every:.0f} s, which is longer than the doctor waits")
        while self._stored_version() == self._record.version:
            if self._clock() - self._read_at > every * 1.5:
                return self._silent(self._record)
            self._sleep(_POLL)
        return ok(f"{owner} tails it, owner number {self._record.fence}")

    def _silent(self, record: Record) -> Verdict:
        """An owner that may come back or be replaced within its lease; behind that nobody is there who would."""
        found = f"{record.owner} has not renewed its lease since {record.saved_at or 'an unknown time'}"
        if record.overdue(self._now()):
            return warn(f"{found}: it ended or hangs, and no standby took over", "start a task: tailer run")
        return warn(found, f"see its log; a standby takes over after {record.lease_seconds:g} s")

    def _nobody(self) -> Verdict:
        if self.checkpoint is None:
            return ok("nobody tails it: it was never started")
        saved = self._record.saved_at if self._record else ""
        return warn(f"nobody tails it since {saved or 'an unknown time'}", "start a task: tailer run")

    def _stored_version(self) -> int:
        stored = self._store.read(self._settings.stream)
        return stored.version if stored else 0

    @property
    def _store(self) -> CheckpointStore:
        """As the settings name it; whatever is wrong with that is the finding of the first look that needs it."""
        return self._parts.store


_STOPPED_FOR = {code: error for error, code in EXIT_CODES.items()}
_FENCE = "use a store that can compare and replace: dynamodb://TABLE, mongodb: or file:///PATH"


def _written(store: CheckpointStore) -> Record:
    """The probe's next version. Another doctor may come between; not often."""
    for _ in range(5):
        before = store.read(PROBE) or Record(stream=PROBE)
        with suppress(Conflict):
            after = replace(before, version=before.version + 1, owner="doctor")
            store.write(after)
            return after
    raise Unavailable(f"the record {PROBE} could not be written: another process replaced it each time")
