"""The loop: read, send, then remember. The order of these lines is the guarantee that nothing is lost."""

import threading
from collections.abc import Callable
from contextlib import closing

from tailer.lease import Lease
from tailer.model import Batch, Checkpoint
from tailer.ports import Sink, Source
from tailer.prefetch import prefetched


def tail(
    source: Source,
    sink: Sink,
    lease: Lease,
    *,
    after: Checkpoint,
    stopping: threading.Event,
    delivered: Callable[[Batch], None],
) -> None:
    """
    Deliver everything after the checkpoint until asked to stop; then the batch in flight is finished and remembered, or left
    to the next owner where that takes long.

    ``delivered`` is told of every batch, empty ones too: it is the pulse that health and metrics listen to.

    Raises:
        Unavailable: a neighbour failed; go on from ``lease.checkpoint``.
        LeaseLost: another task tails the stream now.
        Rejected: somebody has to look.
    """
    with closing(prefetched(source.batches(after), stopping)) as batches:
        for batch in batches:
            lease.confirm()
            sink.send(batch.changes, after.generation)
            lease.save(batch.checkpoint)
            delivered(batch)
            if stopping.is_set():
                break
