"""The loop: read, send, then save the checkpoint. This order guarantees that nothing is lost."""

import threading
from collections.abc import Callable
from contextlib import closing

from tailer import crashes
from tailer.checkpoints.lease import Lease
from tailer.model import Batch, Checkpoint
from tailer.ports import Sink, Source
from tailer.read_limits import ReadLimits
from tailer.streaming.prefetch import prefetched
from tailer.streaming.storable_positions import StorablePositions


def tail(
    source: Source,
    sink: Sink,
    lease: Lease,
    *,
    after: Checkpoint,
    stopping: threading.Event,
    opened: Callable[[], object],
    delivered: Callable[[Batch], None],
    reading: Callable[[float], object] = lambda _: None,
) -> None:
    """
    Deliver every change after the checkpoint until asked to stop. The batch in flight is then finished and saved, or left to
    the next owner if that takes long. The function also returns when ``lease.batch_limit`` changes: call it again. After
    ``Unavailable``, continue from ``lease.checkpoint``.

    ``opened`` is called after the server's first reply and before anything is sent. ``delivered`` is called after every batch,
    also an empty one: health and metrics depend on it. ``reading`` is called while a read is outstanding, with the seconds
    since it began.
    """
    limits, positions = _limits(lease), StorablePositions(after)

    def pending() -> None:
        lease.confirm()
        if (seconds := source.outstanding()) is not None:
            reading(seconds)

    unread = source.batches(after, limits)
    try:
        with closing(prefetched(unread, stopping, limits, pending=pending, interrupt=source.interrupt)) as batches:
            for number, batch in enumerate(batches):
                if number == 0:
                    opened()
                lease.confirm()
                sink.send(batch.changes, after.generation, lease.after_decoding)
                lease.save(positions.after(batch))
                delivered(batch)
                if stopping.is_set() or lease.batch_limit != limits.batch_limit:
                    break
    finally:
        lease.after_decoding()


def _limits(lease: Lease) -> ReadLimits:
    """After crashes at this position nothing is read ahead. A change that is read alone is recorded before it is decoded."""
    match lease.batch_limit:
        case 0:
            return ReadLimits()
        case crashes.ONE:
            return ReadLimits(0, batch_limit=crashes.ONE, before_decoding=lease.before_decoding)
        case limit:
            return ReadLimits(0, batch_limit=limit)
