"""How much history is left before the checkpoint falls off it: the figure to be paged for before anything is lost."""

import threading
from collections.abc import Callable
from datetime import datetime

from tailer.errors import TailerError
from tailer.lease import Lease
from tailer.metrics import Metrics
from tailer.model import Checkpoint
from tailer.ports import Source
from tailer.times import seconds

EVERY = 30.0  # seconds between two looks


def headroom(source: Source, checkpoint: Checkpoint, *, history_seconds: int, now: datetime) -> float | None:
    """
    Seconds between the oldest history and the checkpoint. Nothing where neither the server nor a setting tells.

    Raises: as ``Source.oldest``.
    """
    if (oldest := source.oldest()) is not None:
        return float(seconds(checkpoint.cluster_time) - seconds(oldest))
    if history_seconds:
        return history_seconds - (now.timestamp() - seconds(checkpoint.cluster_time))
    return None


class HeadroomWatch:
    """Keeps the figure up to date from a thread of its own while the block runs: the loop never waits for it."""

    def __init__(
        self, source: Source, lease: Lease, metrics: Metrics, *, history_seconds: int, now: Callable[[], datetime]
    ) -> None:
        self._source = source
        self._lease = lease
        self._metrics = metrics
        self._history_seconds = history_seconds
        self._now = now
        self._over = threading.Event()

    def __enter__(self) -> None:
        threading.Thread(target=self._watch, name="headroom", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._metrics.headroom.set(float("nan"))

    def _watch(self) -> None:
        while not self._over.is_set():
            self._metrics.headroom.set(self._look())
            self._over.wait(EVERY)

    def _look(self) -> float:
        checkpoint = self._lease.checkpoint
        if checkpoint is None:
            return float("nan")
        try:
            left = headroom(self._source, checkpoint, history_seconds=self._history_seconds, now=self._now())
        except TailerError:
            return float("nan")
        return float("nan") if left is None else left
