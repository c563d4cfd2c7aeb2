"""Read and decode the next batch while this one is sent."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator

from tailer.model import Batch
from tailer.read_limits import ReadLimits

Waiting = queue.Queue[Batch | BaseException | None]
"""The next batch, or the error or None with which the source ended."""

_POLL = 0.2  # seconds between two checks whether to stop, while a read is outstanding
_LEAVE_AFTER = 2.0  # seconds a stopping tailer waits for a read that hangs; the thread dies with the process


def prefetched(
    batches: Iterator[Batch],
    stopping: threading.Event,
    limits: ReadLimits,
    *,
    pending: Callable[[], object] = lambda: None,
    interrupt: Callable[[], object] = lambda: None,
) -> Generator[Batch]:
    """
    Yield the same batches in the same order. A background thread reads one batch ahead.

    ``pending`` is called a few times a second in the caller's thread while the next batch is outstanding; its errors are
    raised here. ``interrupt`` is called if the reader is still waiting after it was closed, unless the process is stopping.

    The iteration ends when ``stopping`` is set, whatever the reader waits for. At most three batches exist at a time: the
    caller's, one in the queue and one being read. The memory that a batch reserved in ``limits`` is released after use. An
    error of the reader is raised here, after the batches that were read before it. Closing stops the reader.
    """
    waiting: Waiting = queue.Queue(maxsize=1)
    closed = threading.Event()
    reader = threading.Thread(  # noqa: TID251 - its error is raised here
        target=_read, args=(batches, waiting, closed), name="prefetch", daemon=True
    )
    reader.start()
    try:
        while not stopping.is_set():
            try:
                item = waiting.get(timeout=_POLL)
            except queue.Empty:
                pending()
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
            limits.release(item.size)
    finally:
        closed.set()
        limits.close()
        reader.join(_LEAVE_AFTER)
        if reader.is_alive() and not stopping.is_set():
            interrupt()


def _read(batches: Iterator[Batch], waiting: Waiting, closed: threading.Event) -> None:
    end: BaseException | None = None
    try:
        try:
            for batch in batches:
                if not _put(waiting, batch, closed):
                    return
        finally:
            if close := getattr(batches, "close", None):
                close()
    except BaseException as error:
        end = error
    _put(waiting, end, closed)


def _put(waiting: Waiting, item: Batch | BaseException | None, closed: threading.Event) -> bool:
    while not closed.is_set():
        try:
            waiting.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
