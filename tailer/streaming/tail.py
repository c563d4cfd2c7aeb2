"""The loop: read, send, then save the checkpoint. This order guarantees that nothing is lost."""

import threading
from collections.abc import Callable
from contextlib import closing

from tailer.checkpoints.lease import Lease
from tailer.deaths import ONE
from tailer.model import Batch, Checkpoint
from tailer.pace import Pace
from tailer.ports import Sink, Source
from tailer.streaming.kept_positions import KeptPositions
from tailer.streaming.prefetch import prefetched


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
    the next owner if that takes long. The function also returns when ``lease.careful`` changes: call it again.

    ``opened`` is called once the server has shown that it can read the stream, before anything is sent. ``delivered`` is
    called after every batch, also an empty one: health and metrics depend on it. ``reading`` is called while a read is
    outstanding, with the seconds since it began.

    Raises:
        Unavailable: a server failed; continue from ``lease.checkpoint``.
        LeaseLost: another task tails the stream now.
        Rejected: a person has to act.
    """
    pace, positions = _pace(lease), KeptPositions(after)

    def pending() -> None:
        lease.confirm()
        if (seconds := source.outstanding()) is not None:
            reading(seconds)

    reading_on = source.batches(after, pace)
    try:
        with closing(prefetched(reading_on, stopping, pace, pending=pending, interrupt=source.interrupt)) as batches:
            for number, batch in enumerate(batches):
                if number == 0:
                    opened()
                lease.confirm()
                sink.send(batch.changes, after.generation, lease.goes_on)
                lease.save(positions.after(batch))
                delivered(batch)
                if stopping.is_set() or lease.careful != pace.changes:
                    break
    finally:
        lease.goes_on()


def _pace(lease: Lease) -> Pace:
    """After deaths at this position nothing is read ahead; with one change at a time, each is recorded before it is decoded."""
    if not lease.careful:
        return Pace()
    return Pace(0, changes=lease.careful, begin=lease.begin if lease.careful == ONE else None)
