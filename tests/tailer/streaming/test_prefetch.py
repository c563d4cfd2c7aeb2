"""One batch is read ahead, and nothing else changes."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tailer.errors import LeaseLost, Unavailable
from tailer.model import Batch
from tailer.pace import Pace
from tailer.streaming.prefetch import prefetched
from tests.samples.changes import ORIGIN


class Reader:
    """Counts what is read of it, and says when it was closed."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.read = 0
        self.closed = threading.Event()
        self._count = count
        self._error = error

    def __iter__(self) -> Iterator[Batch]:
        try:
            for _ in range(self._count):
                self.read += 1
                yield Batch(changes=(), checkpoint=ORIGIN)
            if self._error:
                raise self._error
        finally:
            self.closed.set()


def test_all_batches_come_in_order() -> None:
    """The iterator ends when the source does."""
    batches = [Batch(changes=(), checkpoint=ORIGIN) for _ in range(10)]
    assert list(prefetched(iter(batches), threading.Event(), Pace())) == batches


def test_it_reads_ahead_but_not_far() -> None:
    """While one batch is in hand, one waits and one is read: never more, however slow the caller."""
    reader = Reader(100)
    batches = prefetched(iter(reader), threading.Event(), Pace())
    next(batches)
    threading.Event().wait(0.3)
    assert 2 <= reader.read <= 3
    batches.close()


def test_an_error_comes_after_the_batches_before_it() -> None:
    """What was read before the failure is still delivered."""
    batches = prefetched(iter(Reader(3, Unavailable("cut"))), threading.Event(), Pace())
    assert [next(batches) is not None for _ in range(3)] == [True] * 3
    with pytest.raises(Unavailable, match="cut"):
        next(batches)


def test_closing_stops_the_reader() -> None:
    """The thread ends and closes the source, wherever it is."""
    reader = Reader(1_000_000)
    batches = prefetched(iter(reader), threading.Event(), Pace())
    next(batches)
    batches.close()
    assert reader.closed.wait(5)


def test_a_read_that_hangs_does_not_keep_a_task_from_stopping() -> None:
    """A half-open connection may hang for a minute; SIGTERM allows twenty seconds."""
    stopping, hanging = threading.Event(), threading.Event()

    def hang() -> Iterator[Batch]:
        yield Batch(changes=(), checkpoint=ORIGIN)
        hanging.wait(60)

    batches = prefetched(hang(), stopping, Pace())
    next(batches)
    threading.Timer(0.2, stopping.set).start()
    began = time.monotonic()
    assert list(batches) == []
    assert time.monotonic() - began < 10
    hanging.set()


def hangs(hanging: threading.Event) -> Iterator[Batch]:
    """A read that lasts until it is ended elsewhere."""
    hanging.wait(60)
    yield Batch(changes=(), checkpoint=ORIGIN)


def test_who_waits_for_a_read_can_look_around_and_leave() -> None:
    """What is raised while a read is outstanding ends the wait: a lease that is lost is noticed at once."""
    hanging, looks = threading.Event(), 0

    def pending() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise LeaseLost("gone")

    with pytest.raises(LeaseLost):
        next(prefetched(hangs(hanging), threading.Event(), Pace(), pending=pending))
    assert looks == 3
    hanging.set()


@pytest.mark.parametrize(("stops", "interrupted"), [(False, True), (True, False)])
def test_a_read_that_outlives_its_stream_is_interrupted(stops: bool, interrupted: bool) -> None:
    """It must not scan on for an hour beside the next one; a process that ends takes it along, and does not wait."""
    stopping, hanging, told = threading.Event(), threading.Event(), threading.Event()

    def interrupt() -> None:
        told.set()
        hanging.set()

    def pending() -> None:
        if stops:
            stopping.set()
        else:
            raise Unavailable("the queue does not answer")

    with suppress(Unavailable, StopIteration):
        next(prefetched(hangs(hanging), stopping, Pace(), pending=pending, interrupt=interrupt))
    assert told.is_set() is interrupted
    hanging.set()


def test_a_read_that_ends_with_its_stream_is_left_alone() -> None:
    """There is nothing to interrupt."""
    told = threading.Event()
    batches = prefetched(iter(Reader(1_000_000)), threading.Event(), Pace(), interrupt=told.set)
    next(batches)
    batches.close()
    assert not told.is_set()
