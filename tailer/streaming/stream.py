"""One stream, and its runner: tails the stream from its checkpoint while the task holds the lease."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from msgspec.structs import replace

from tailer.checkpoints.candidate import LeaseCandidate
from tailer.checkpoints.gaps import first_start_words, gap_announced, gap_change, history_lost_words
from tailer.checkpoints.lease import Clock, Lease
from tailer.checkpoints.recognition import recognised
from tailer.cluster import Cluster
from tailer.errors import EXIT_CODES, HistoryLost, Misconfigured, Rejected, TailerError, Unavailable
from tailer.metrics.prometheus import Metrics
from tailer.model import Batch, Checkpoint
from tailer.poison.on_poison import OnPoison
from tailer.ports import Sink, Source
from tailer.streaming.retry import Retry
from tailer.streaming.tail import tail
from tailrace.wire.change import Namespace

log = logging.getLogger(__name__)

RECOGNISE_EVERY = 60.0  # seconds: all members of a cluster may be replaced, one by one, while it is tailed
_STUB_LIMIT = 1_000  # characters of the last stub that the record keeps
CAREFUL = (
    "several tasks in a row died at the same position of stream %r, probably because they ran out of memory. This task "
    "processes %d changes at a time. A change that several tasks died on is replaced by a stub"
)
_PROBLEM_LIMIT = 4_000  # characters of a reason that the record keeps; it may hold a part of a document's _id


@dataclass(frozen=True, kw_only=True)
class Stream:
    """
    One configured stream and everything it needs. ``ready`` runs the checks of the start, once, before the lease is taken;
    ``cluster`` returns the identity of the watched cluster.
    """

    name: str
    ns: Namespace
    source: Source
    sink: Sink
    candidate: LeaseCandidate
    metrics: Metrics
    ready: Callable[[], None] = lambda: None
    history_seconds: int = 0
    cluster: Callable[[], Cluster | None] = lambda: None
    as_set: Callable[[str], str] = str  # renames each setting in a message to the name that the user wrote
    on_poison: OnPoison = field(default_factory=OnPoison)  # the source's and the sink's

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise our own errors with each setting under the name that the user wrote for this stream."""
        try:
            yield
        except TailerError as error:
            if (words := self.as_set(str(error))) == str(error):
                raise
            raise type(error)(words) from error


def tail_until_stopped(stream: Stream, lease: Lease, retry: Retry, clock: Clock = time.monotonic) -> None:
    """
    Deliver every committed change until asked to stop. If a server fails, wait and continue from the checkpoint.

    Raises:
        LeaseLost: another task tails the stream now.
        Rejected, Misconfigured: a person has to act; the record contains the reason.
    """
    if lease.careful:
        log.warning(CAREFUL, stream.name, lease.careful, extra={"action": "careful", "stream": stream.name})
    runner = _Runner(stream, lease, retry, clock)
    try:
        while not retry.stopping.is_set():
            retry.keep_trying(runner.tail)
    except HistoryLost as error:
        words = HistoryLost(f"{history_lost_words(stream.name, lease.checkpoint)}. The server says: {error}")
        _note(lease, words)
        raise words from error
    except (Rejected, Misconfigured) as error:
        _note(lease, error)
        raise


class _Runner:
    """Runs one stream for one lease owner. It remembers the first position until the store has it."""

    def __init__(self, stream: Stream, lease: Lease, retry: Retry, clock: Clock) -> None:
        self._stream = stream
        self._lease = lease
        self._retry = retry
        self._start: Checkpoint | None = None
        self._clock = clock
        self._recognised = clock()
        self._stubs = stream.on_poison.stubs.count

    def tail(self) -> None:
        """Tail until stopped or until a server fails. Raise only if there was no progress, so that the waits grow."""
        stream, lease, retry = self._stream, self._lease, self._retry
        with stream.errors():
            self._recognise(stream.cluster())
            _announce_gaps(stream, lease)
            stream.on_poison.skipped = {skip.change for skip in lease.record.skips}
            after = lease.checkpoint or self._first()
        try:
            with stream.errors():
                tail(
                    stream.source,
                    stream.sink,
                    lease,
                    after=after,
                    stopping=retry.stopping,
                    opened=self._opened,
                    delivered=self._delivered,
                    reading=self._reading,
                )
        except Unavailable as error:
            stream.metrics.reconnects.inc()
            if lease.checkpoint is None or lease.checkpoint is after:
                raise
            retry.breathe(error)

    def _recognise(self, cluster: Cluster | None) -> None:
        """Check, before its history is read, that the cluster is still the same: its host name may point to another one."""
        record = recognised(self._lease.record, cluster)
        if record != self._lease.record:
            self._lease.amend(record)
        self._recognised = self._clock()

    def _reading(self, seconds: float) -> None:
        self._lease.scanning(self._retry.health.reading(seconds))

    def _delivered(self, batch: Batch) -> None:
        self._retry.health.delivered(batch)
        self._note_stubs()
        if self._clock() - self._recognised >= RECOGNISE_EVERY:
            self._recognised = self._clock()
            with suppress(Unavailable, Misconfigured):  # the stream is open, and is recognised when it opens again
                self._recognise(self._stream.cluster())

    def _note_stubs(self) -> None:
        """Put the number of stubs and the last stub into the record; the next write saves them."""
        stubs, record = self._stream.on_poison.stubs, self._lease.record
        if new := stubs.count - self._stubs:
            self._stubs = stubs.count
            self._lease.amend(replace(record, stubs=record.stubs + new, last_stub=stubs.last[:_STUB_LIMIT]))

    def _first(self) -> Checkpoint:
        """The first position, the same at every attempt, so that changes committed between two attempts are not skipped."""
        if self._start is None:
            self._start = self._stream.source.first()
        return self._start

    def _opened(self) -> None:
        """
        Save the first position, now that the server can read the stream. Nothing is sent before it is stored: a task that takes
        over must start there, not at the current time.
        """
        if self._lease.checkpoint is None:
            start, name = self._first(), self._stream.name
            log.warning("%s", first_start_words(name, start), extra={"action": "first_start", "stream": name})
            self._retry.keep_trying(self._save, start)

    def _save(self, start: Checkpoint) -> None:
        self._lease.confirm()
        self._lease.save(start)


def _announce_gaps(stream: Stream, lease: Lease) -> None:
    """Send a change for every accepted gap, before any change that follows the gap."""
    for gap in lease.record.gaps:
        if not gap.announced:
            lease.confirm()
            stream.sink.send([gap_change(stream.name, stream.ns, gap)], gap.generation)
            lease.write(gap_announced(lease.record, gap))
            stream.metrics.gaps.inc()


def _note(lease: Lease, error: TailerError) -> None:
    """Write the reason into the record, for ``tailer status``. The stream has stopped either way."""
    try:
        lease.write(replace(lease.record, problem=str(error)[:_PROBLEM_LIMIT], problem_code=EXIT_CODES.get(type(error), 1)))
    except TailerError as unwritten:
        log.warning("%s", unwritten, extra={"action": "problem_not_noted"})
