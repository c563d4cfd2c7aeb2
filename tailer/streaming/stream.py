"""One stream, and what a task does with it while it has its lease: tail it from the checkpoint on."""

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
    One configured stream and all it needs. ``ready`` is asked once, before anything of it is touched; ``cluster`` asks the
    watched cluster who it is.
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
    as_set: Callable[[str], str] = str  # makes a message call each setting as it was set
    on_poison: OnPoison = field(default_factory=OnPoison)  # the source's and the sink's

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise our own errors with each setting called as it was set for this stream."""
        try:
            yield
        except TailerError as error:
            if (words := self.as_set(str(error))) == str(error):
                raise
            raise type(error)(words) from error


def tail_until_stopped(stream: Stream, lease: Lease, retry: Retry, clock: Clock = time.monotonic) -> None:
    """
    Deliver whatever is committed until asked to stop; when a neighbour fails, wait and go on from the checkpoint.

    Raises:
        LeaseLost: another task tails the stream now.
        Rejected, Misconfigured: somebody has to look; the record says why.
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
    """What one owner does with one stream. It knows where the stream starts before any store does."""

    def __init__(self, stream: Stream, lease: Lease, retry: Retry, clock: Clock) -> None:
        self._stream = stream
        self._lease = lease
        self._retry = retry
        self._start: Checkpoint | None = None
        self._clock = clock
        self._recognised = clock()
        self._stubs = stream.on_poison.stubs.count

    def tail(self) -> None:
        """Until stopped, or until a neighbour fails: raising only when there was no progress, so that waits grow."""
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
        """The same cluster as ever, before its history is read: a name may lead to another one by now."""
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
        """In the record, with the next write: how many stubs were sent, and which was the last."""
        stubs, record = self._stream.on_poison.stubs, self._lease.record
        if new := stubs.count - self._stubs:
            self._stubs = stubs.count
            self._lease.amend(replace(record, stubs=record.stubs + new, last_stub=stubs.last[:_STUB_LIMIT]))

    def _first(self) -> Checkpoint:
        """The same at every attempt: what is committed between two of them is not skipped."""
        if self._start is None:
            self._start = self._stream.source.first()
        return self._start

    def _opened(self) -> None:
        """
        The server has read the stream: a first position is worth keeping. Nothing is sent until a store has it: who takes over
        in the middle of it must start there, not at now.
        """
        if self._lease.checkpoint is None:
            start, name = self._first(), self._stream.name
            log.warning("%s", first_start_words(name, start), extra={"action": "first_start", "stream": name})
            self._retry.keep_trying(self._save, start)

    def _save(self, start: Checkpoint) -> None:
        self._lease.confirm()
        self._lease.save(start)


def _announce_gaps(stream: Stream, lease: Lease) -> None:
    """Tell consumers of every accepted gap before anything that follows it."""
    for gap in lease.record.gaps:
        if not gap.announced:
            lease.confirm()
            stream.sink.send([gap_change(stream.name, stream.ns, gap)], gap.generation)
            lease.write(gap_announced(lease.record, gap))
            stream.metrics.gaps.inc()


def _note(lease: Lease, error: TailerError) -> None:
    """Leave the reason in the record, for whoever asks for the status; the stream has stopped either way."""
    try:
        lease.write(replace(lease.record, problem=str(error)[:_PROBLEM_LIMIT], problem_code=EXIT_CODES.get(type(error), 1)))
    except TailerError as unwritten:
        log.warning("%s", unwritten, extra={"action": "problem_not_noted"})
