"""One batch is read ahead, and nothing else changes."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tailer.errors import LeaseLost, Unavailable
from tailer.model import Batch
from tailer.read_limits import ReadLimits
from tailer.streaming.prefetch import prefetched
from tests.samples.changes import ORIGIN


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailer.streaming.prefetch._POLL", 0.02)
    monkeypatch.setattr("tailer.streaming.prefetch._LEAVE_AFTER", 0.2)


class CountingReader:
    """Counts the batches that are read, and notes when it is closed."""

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


def test_batches_arrive_in_order() -> None:
    """The iterator ends when the source does."""
    batches = [Batch(changes=(), checkpoint=ORIGIN) for _ in range(10)]
    assert list(prefetched(iter(batches), threading.Event(), ReadLimits())) == batches


def test_at_most_two_batches_are_read_ahead() -> None:
    """One waits and one is being read, however slow the caller."""
    reader = CountingReader(100)
    batches = prefetched(iter(reader), threading.Event(), ReadLimits())
    next(batches)
    threading.Event().wait(0.3)
    assert 2 <= reader.read <= 3
    batches.close()


def test_error_arrives_after_the_batches_before_it() -> None:
    batches = prefetched(iter(CountingReader(3, Unavailable("cut"))), threading.Event(), ReadLimits())
    assert [next(batches) is not None for _ in range(3)] == [True] * 3
    with pytest.raises(Unavailable, match="cut"):
        next(batches)


def test_closing_stops_the_reader() -> None:
    """The thread ends and closes the source."""
    reader = CountingReader(1_000_000)
    batches = prefetched(iter(reader), threading.Event(), ReadLimits())
    next(batches)
    batches.close()
    assert reader.closed.wait(5)


def test_hanging_read_does_not_delay_a_stop() -> None:
    """A half-open connection may hang for a minute. SIGTERM allows twenty seconds."""
    stopping, hanging, returned = threading.Event(), threading.Event(), threading.Event()

    def hang() -> Iterator[Batch]:
        yield Batch(changes=(), checkpoint=ORIGIN)
        hanging.wait(60)
        returned.set()

    batches = prefetched(hang(), stopping, ReadLimits())
    next(batches)
    threading.Timer(0.2, stopping.set).start()
    assert list(batches) == []
    assert not returned.is_set()
    hanging.set()


def hanging_batches(hanging: threading.Event) -> Iterator[Batch]:
    """A read that lasts until the event is set."""
    hanging.wait(60)
    yield Batch(changes=(), checkpoint=ORIGIN)


def test_error_raised_while_a_read_is_outstanding_ends_the_wait() -> None:
    """A lost lease is noticed at once."""
    hanging, looks = threading.Event(), 0

    def pending() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            raise LeaseLost("gone")

    with pytest.raises(LeaseLost):
        next(prefetched(hanging_batches(hanging), threading.Event(), ReadLimits(), pending=pending))
    assert looks == 3
    hanging.set()


@pytest.mark.parametrize(("stops", "interrupted"), [(False, True), (True, False)])
def test_read_that_outlives_its_stream_is_interrupted(stops: bool, interrupted: bool) -> None:
    """It must not scan for an hour beside the next read. A stopping process does not wait for it."""
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
        next(prefetched(hanging_batches(hanging), stopping, ReadLimits(), pending=pending, interrupt=interrupt))
    assert told.is_set() is interrupted
    hanging.set()


def test_finished_read_is_not_interrupted() -> None:
    told = threading.Event()
    batches = prefetched(iter(CountingReader(1_000_000)), threading.Event(), ReadLimits(), interrupt=told.set)
    next(batches)
    batches.close()
    assert not told.is_set()
