"""The batches that are read ahead are bounded by their memory."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tailer.model import Batch
from tailer.read_limits import Closed, ReadLimits
from tailer.streaming.prefetch import prefetched
from tests.samples.changes import ORIGIN

SECONDS = 10.0  # A wait that should end does so much sooner.


def test_batch_above_the_limit_waits_for_memory() -> None:
    limits = ReadLimits(10)
    limits.reserve(6)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(limits.reserve, 5)
        assert not waiting.done()
        limits.release(1)
        waiting.result(SECONDS)


def test_batch_larger_than_the_limit_is_read_alone() -> None:
    limits = ReadLimits(10)
    limits.reserve(6)
    with ThreadPoolExecutor(2) as threads:
        large = threads.submit(limits.reserve, 20)
        limits.release(6)
        large.result(SECONDS)
        small = threads.submit(limits.reserve, 1)
        assert not small.done()
        limits.release(20)
        small.result(SECONDS)


def test_waiting_reader_ends_when_the_limits_close() -> None:
    """A stopping task leaves no thread."""
    limits = ReadLimits(10)
    limits.reserve(10)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(limits.reserve, 1)
        limits.close()
        with pytest.raises(Closed):
            waiting.result(SECONDS)


@pytest.mark.parametrize(("room", "ahead"), [(300, 2), (100, 0), (0, 0)])
def test_batches_are_read_ahead_by_their_size(room: int, ahead: int) -> None:
    """As many as there is room for."""
    limits, made = ReadLimits(room), 0
    full = threading.Event()

    def source() -> Iterator[Batch]:
        nonlocal made
        for _ in range(100):
            if made == 1 + ahead:
                full.set()
            limits.reserve(100)
            made += 1
            yield Batch(changes=(), checkpoint=ORIGIN, size=100)

    batches = prefetched(source(), threading.Event(), limits)
    for held in range(1, 4):
        next(batches)
        made_by_then = made
        assert made_by_then <= held + ahead
    assert full.wait(SECONDS)
    batches.close()
