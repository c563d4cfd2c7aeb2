"""The runner of a stream: tails it from its checkpoint while the task holds the lease."""

import logging
import time
from contextlib import suppress

from msgspec.structs import replace

from tailer.checkpoints.gaps import gap_announced, gap_change, history_lost_message
from tailer.checkpoints.lease import Lease
from tailer.checkpoints.owned_record import Clock
from tailer.checkpoints.recognition import recognised
from tailer.errors import EXIT_CODES, HistoryLost, Misconfigured, Rejected, TailerError, Unavailable
from tailer.model import Batch, Checkpoint
from tailer.streaming.retry import Retry
from tailer.streaming.stream import Stream
from tailer.streaming.tail import tail
from tailer.times import rfc3339

log = logging.getLogger(__name__)

RECOGNISE_EVERY = 60.0  # seconds: all members of a cluster may be replaced, one by one, while its stream is tailed
_STUB_LIMIT = 1_000  # characters of the last stub that the record keeps
_PROBLEM_LIMIT = 4_000  # characters of a reason that the record keeps; it may contain a part of a document's _id


class StreamRunner:
    """Runs one stream for one owner of its lease. It keeps the first position in memory until the store has it."""

    def __init__(self, stream: Stream, lease: Lease, retry: Retry, clock: Clock = time.monotonic) -> None:
        self._stream = stream
        self._lease = lease
        self._retry = retry
        self._clock = clock
        self._start: Checkpoint | None = None
        self._recognised = clock()
        self._recorded_stubs = stream.on_poison.stubs.count

    def run(self) -> None:
        """Deliver every committed change until asked to stop. If a server fails, wait and continue from the checkpoint."""
        stream, lease = self._stream, self._lease
        if lease.batch_limit:
            log.warning(
                "several tasks in a row died at the same position of stream %r, probably because they ran out of memory. This "
                "task reads at most %d changes at a time. A change that several tasks died on is replaced by a stub",
                *(stream.name, lease.batch_limit),
                extra={"action": "careful", "stream": stream.name},
            )
        try:
            while not self._retry.stopping.is_set():
                self._retry.keep_trying(self._tail)
        except HistoryLost as error:
            lost = HistoryLost(f"{history_lost_message(stream.name, lease.checkpoint)}. The server says: {error}")
            self._record_problem(lost)
            raise lost from error
        except (Rejected, Misconfigured) as error:
            self._record_problem(error)
            raise

    def _tail(self) -> None:
        """Tail until stopped or until a server fails. Raise only if there was no progress, so that the waits grow."""
        stream, lease = self._stream, self._lease
        with stream.errors():
            self._recognise_cluster()
            self._announce_gaps()
            stream.on_poison.skipped = {skip.change for skip in lease.record.skips}
            after = lease.checkpoint or self._first()
        try:
            with stream.errors():
                tail(
                    stream.source,
                    stream.sink,
                    lease,
                    after=after,
                    stopping=self._retry.stopping,
                    opened=self._opened,
                    delivered=self._delivered,
                    reading=self._reading,
                )
        except Unavailable as error:
            stream.metrics.reconnects.inc()
            if lease.checkpoint is None or lease.checkpoint is after:
                raise
            self._retry.pause(error)

    def _recognise_cluster(self) -> None:
        """Check that the cluster is still the same: its host name may point to another one."""
        self._recognised = self._clock()
        self._lease.record = recognised(self._lease.record, self._stream.cluster())

    def _announce_gaps(self) -> None:
        """Send a change for every accepted gap, before any change that follows the gap."""
        stream, lease = self._stream, self._lease
        for gap in lease.record.gaps:
            if not gap.announced:
                lease.confirm()
                stream.sink.send([gap_change(stream.name, stream.ns, gap)], gap.generation)
                lease.write(gap_announced(lease.record, gap))
                stream.metrics.gaps.inc()

    def _first(self) -> Checkpoint:
        """The first position, the same at every attempt, so that changes committed between two attempts are not skipped."""
        if self._start is None:
            self._start = self._stream.source.first()
        return self._start

    def _opened(self) -> None:
        """Store the first position before anything is sent: a task that takes over must start there, not at its own time."""
        if self._lease.checkpoint is None:
            start, name = self._first(), self._stream.name
            log.warning(
                "stream %r has no checkpoint: it starts for the first time, at %s. If it was tailed before, its checkpoint was "
                "lost, and changes that were committed before that time may be missing. In that case stop its tasks and rewind "
                "to the time of the last delivery (tailer checkpoint rewind --stream %s --to TIME)",
                *(name, rfc3339(start.reached), name),
                extra={"action": "first_start", "stream": name},
            )
            self._retry.keep_trying(self._save_first, start)

    def _save_first(self, start: Checkpoint) -> None:
        self._lease.confirm()
        self._lease.save(start)

    def _reading(self, seconds: float) -> None:
        """Record the time at which a scan of the history began, for ``tailer status``."""
        self._lease.record = replace(self._lease.record, scanning_since=self._retry.health.reading(seconds))

    def _delivered(self, batch: Batch) -> None:
        self._retry.health.delivered(batch)
        self._record_stubs()
        if self._clock() - self._recognised >= RECOGNISE_EVERY:
            with suppress(Unavailable, Misconfigured):  # the stream is open; its cluster is checked when it opens again
                self._recognise_cluster()

    def _record_stubs(self) -> None:
        stubs, record = self._stream.on_poison.stubs, self._lease.record
        if new := stubs.count - self._recorded_stubs:
            self._recorded_stubs = stubs.count
            self._lease.record = replace(record, stubs=record.stubs + new, last_stub=stubs.last[:_STUB_LIMIT])

    def _record_problem(self, error: TailerError) -> None:
        """Write the reason into the record, for ``tailer status``. The stream has stopped either way."""
        problem, code = str(error)[:_PROBLEM_LIMIT], EXIT_CODES.get(type(error), 1)
        try:
            self._lease.write(replace(self._lease.record, problem=problem, problem_code=code))
        except TailerError as failure:
            log.warning(
                "the reason why stream %r stopped could not be written to its record, so tailer status does not show it: %s",
                *(self._stream.name, failure),
                extra={"action": "problem_not_noted", "stream": self._stream.name},
            )
