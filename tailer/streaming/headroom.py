"""Headroom: the seconds until the checkpoint is older than the server's history. The metric to alarm on."""

import threading
from collections.abc import Callable
from datetime import datetime
from math import nan

from tailer.background import background
from tailer.checkpoints.lease import Lease
from tailer.errors import TailerError
from tailer.history import headroom, history
from tailer.metrics.prometheus import Metrics
from tailer.ports import Source

EVERY = 30.0  # seconds between two measurements


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
            self._show(None, None)

    def _watch(self) -> None:
        while not self._over.is_set():
            values = self._measure()
            with self._showing:
                if not self._over.is_set():
                    self._show(*values)
            self._over.wait(EVERY)

    def _measure(self) -> tuple[float | None, float | None]:
        now, checkpoint = self._now(), self._lease.checkpoint
        try:
            reaches_back = history(self._source, history_seconds=self._history_seconds, now=now)
        except TailerError:
            return None, None
        return headroom(reaches_back, checkpoint, now), reaches_back

    def _show(self, left: float | None, reaches_back: float | None) -> None:
        self._metrics.headroom.set(nan if left is None else left)
        self._metrics.history.set(nan if reaches_back is None else reaches_back)
