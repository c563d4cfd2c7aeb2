"""One stream, and what a task does with it while it has its lease: tail it from the checkpoint on."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from contract.change import Namespace
from tailer.contender import Contender
from tailer.errors import EXIT_CODES, HistoryLost, LeaseLost, Misconfigured, Rejected, TailerError, Unavailable
from tailer.gaps import first_start_words, gap_change, history_lost_words
from tailer.lease import Lease
from tailer.metrics import Metrics
from tailer.model import Checkpoint
from tailer.patience import Patience
from tailer.ports import Sink, Source
from tailer.tail import tail

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One configured stream and all it needs; ``ready`` is asked once, before anything of it is touched."""

    name: str
    ns: Namespace
    source: Source
    sink: Sink
    contender: Contender
    metrics: Metrics
    ready: Callable[[], None] = lambda: None
    history_seconds: int = 0


def tail_until_stopped(stream: Stream, lease: Lease, patience: Patience) -> None:
    """
    Deliver whatever is committed until asked to stop; when a neighbour fails, wait and go on from the checkpoint.

    Raises:
        LeaseLost: another task tails the stream now.
        Rejected, Misconfigured: somebody has to look; the record says why.
    """
    try:
        while not patience.stopping.is_set():
            patience.keep_trying(_tail, stream, lease, patience)
    except HistoryLost as error:
        words = HistoryLost(f"{history_lost_words(stream.name, lease.checkpoint)}. The server says: {error}")
        _note(lease, words)
        raise words from error
    except (Rejected, Misconfigured) as error:
        _note(lease, error)
        raise


def _tail(stream: Stream, lease: Lease, patience: Patience) -> None:
    """Until stopped, or until a neighbour fails: raising only when there was no progress, so that waits grow."""
    if lease.checkpoint is None:  # until a store has it: who takes over in the middle of it must start there, not at now
        lease.save(lease.record.checkpoint or _first(stream))
    _announce_gaps(stream, lease)
    after = lease.checkpoint
    assert after is not None  # noqa: S101 - saved just above
    stopping, delivered = patience.stopping, patience.pulse.delivered
    try:
        tail(stream.source, stream.sink, lease, after=after, stopping=stopping, delivered=delivered)
    except Unavailable as error:
        stream.metrics.reconnects.inc()
        if lease.checkpoint is after:
            raise
        patience.breathe(error)


def _first(stream: Stream) -> Checkpoint:
    start = stream.source.first()
    log.warning("%s", first_start_words(stream.name, start), extra={"action": "first_start", "stream": stream.name})
    return start


def _announce_gaps(stream: Stream, lease: Lease) -> None:
    """Tell consumers of every accepted gap before anything that follows it."""
    for gap in lease.record.gaps:
        if not gap.announced:
            stream.sink.send([gap_change(stream.name, stream.ns, gap)], gap.generation)
            gaps = tuple(replace(one, announced=True) if one == gap else one for one in lease.record.gaps)
            lease.write(replace(lease.record, gaps=gaps))
            stream.metrics.gaps.inc()


def _note(lease: Lease, error: TailerError) -> None:
    """Leave the reason in the record, for whoever asks for the status; the stream has stopped either way."""
    try:
        lease.write(replace(lease.record, problem=str(error), problem_code=EXIT_CODES.get(type(error), 1)))
    except (LeaseLost, Unavailable) as unwritten:
        log.warning("%s", unwritten, extra={"action": "problem_not_noted"})
