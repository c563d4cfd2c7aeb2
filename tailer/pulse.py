"""What a task is doing and how far behind it is: health means caught up or moving, never merely alive."""

from collections.abc import Callable
from datetime import datetime

from tailer.lease import Clock
from tailer.metrics import Metrics
from tailer.model import Batch

STALLED_AFTER = 120.0  # seconds without a delivered batch or a look at the lease; a batch comes every second even when idle


class Pulse:
    """Written by the loop, read by the HTTP endpoints. ``clock`` is monotonic, ``now`` the time of day in UTC."""

    def __init__(self, metrics: Metrics, *, clock: Clock, now: Callable[[], datetime]) -> None:
        self._metrics = metrics
        self._clock = clock
        self._now = now
        self._beat = clock()
        self._current: datetime | None = None
        self.state = "starting"
        metrics.lag.set_function(self.lag)

    def standing_by(self) -> None:
        """Another task tails the stream; this one looks at the lease and waits."""
        self.state = "standing by"
        self._current = None
        self._beat = self._clock()
        self._metrics.owner.set(0)

    def waiting(self, reason: str) -> None:
        """A neighbour failed. This is not a beat: a wait that lasts shows as stalled."""
        self.state = f"waiting: {reason}"

    def delivered(self, batch: Batch) -> None:
        """A batch is in the queue. An empty one says that there was nothing left to deliver."""
        self.state = "tailing"
        self._beat = self._clock()
        self._metrics.owner.set(1)
        self._metrics.read.inc(len(batch.changes))
        self._current = batch.changes[-1].occurred_at if batch.changes else self._now()

    def lag(self) -> float:
        """Seconds between now and the last moment up to which everything is known to be in the queue; 0 while standing by."""
        return max(0.0, (self._now() - self._current).total_seconds()) if self._current else 0.0

    @property
    def healthy(self) -> bool:
        """Whether the task is moving."""
        return self._clock() - self._beat < STALLED_AFTER

    @property
    def ready(self) -> bool:
        """Whether the task tails its stream now."""
        return self.state == "tailing"
