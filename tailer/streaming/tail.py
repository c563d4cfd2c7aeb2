"""The loop: read, send, then remember. The order of these lines is the guarantee that nothing is lost."""

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
    Deliver everything after the checkpoint until asked to stop; then the batch in flight is finished and remembered, or left
    to the next owner where that takes long. It also ends where more or less care is needed than before: go on in the same way.

    ``opened`` is called once the server has shown that it can read the stream, before anything is sent. ``delivered`` is told
    of every batch, empty ones too: it is the pulse that health and metrics listen to. ``reading`` is told, while a read is
    waited for, for how many seconds the server has owed its reply.

    Raises:
        Unavailable: a neighbour failed; go on from ``lease.checkpoint``.
        LeaseLost: another task tails the stream now.
        Rejected: somebody has to look.
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
    """Where others died over a change nothing is read ahead, and where one is worked on at a time it is noted first."""
    if not lease.careful:
        return Pace()
    return Pace(0, changes=lease.careful, begin=lease.begin if lease.careful == ONE else None)
