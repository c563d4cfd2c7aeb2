"""Headroom: the seconds until the checkpoint is older than the server's history. The metric to alarm on."""

import threading
from collections.abc import Callable
from datetime import datetime
from math import nan

from tailer.background import background
from tailer.checkpoints.lease import Lease
from tailer.errors import TailerError
from tailer.metrics.prometheus import Metrics
from tailer.model import Checkpoint
from tailer.ports import Source
from tailer.times import seconds

EVERY = 30.0  # seconds between two measurements


def history(source: Source, *, history_seconds: int, now: datetime) -> float | None:
    """
    Seconds that the server's history reaches back. None if neither the server nor a setting reports it.

    Raises: as ``Source.oldest``.
    """
    if (oldest := source.oldest()) is not None:
        return now.timestamp() - seconds(oldest)
    return float(history_seconds) if history_seconds else None


def headroom(source: Source, checkpoint: Checkpoint, *, history_seconds: int, now: datetime) -> float | None:
    """
    Seconds between the oldest history and the checkpoint. None if neither the server nor a setting reports the history, or if
    the checkpoint's time is unknown.

    Raises: as ``Source.oldest``.
    """
    kept = history(source, history_seconds=history_seconds, now=now)
    return None if kept is None else _left(kept, checkpoint, now)


class HeadroomWatch:
    """Updates both metrics from its own thread while the block runs, so that the loop never waits for the server."""

    def __init__(
        self, source: Source, lease: Lease, metrics: Metrics, *, history_seconds: int, now: Callable[[], datetime]
    ) -> None:
        self._source = source
        self._lease = lease
        self._metrics = metrics
        self._history_seconds = history_seconds
        self._now = now
        self._over = threading.Event()
        self._showing = threading.Lock()

    def __enter__(self) -> None:
        background("headroom", self._watch, self._over)

    def __exit__(self, *_: object) -> None:
        self._over.set()  # before the lock: a measurement that is still running then changes no metric
        with self._showing:
            self._show(nan, nan)

    def _watch(self) -> None:
        while not self._over.is_set():
            metrics = self._measure()
            with self._showing:
                if not self._over.is_set():
                    self._show(*metrics)
            self._over.wait(EVERY)

    def _measure(self) -> tuple[float, float]:
        """Headroom and history; NaN means unknown."""
        now, checkpoint = self._now(), self._lease.checkpoint
        try:
            kept = history(self._source, history_seconds=self._history_seconds, now=now)
        except TailerError:
            return nan, nan
        if kept is None or checkpoint is None:
            return nan, nan if kept is None else kept
        left = _left(kept, checkpoint, now)
        return nan if left is None else left, kept

    def _show(self, left: float, kept: float) -> None:
        self._metrics.headroom.set(left)
        self._metrics.history.set(kept)


def _left(kept: float, checkpoint: Checkpoint, now: datetime) -> float | None:
    if checkpoint.reached is None:
        return None
    return kept - (now.timestamp() - seconds(checkpoint.reached))
