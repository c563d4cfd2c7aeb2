"""What a task is doing and how far behind it is: health means caught up or moving, never merely alive."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from math import nan

from tailer.lease import Clock
from tailer.metrics import Metrics
from tailer.model import Batch

log = logging.getLogger(__name__)

TAILING = "tailing"
STANDING_BY = "standing by"
GAVE_UP = "gave up"
BUSY = "busy"
CONDITION = "Tailrace-Condition"  # the header that tells one of these four, for programs; the text is for people
STALLED_AFTER = 120.0  # seconds without a delivered batch or a look at the lease; a batch comes every second even when idle


class Pulse:
    """Written by the loop, read by the HTTP endpoints. ``clock`` is monotonic, ``now`` the time of day in UTC."""

    def __init__(self, *, clock: Clock, now: Callable[[], datetime]) -> None:
        self._clock = clock
        self._now = now
        self._beat = clock()
        self._current: datetime | None = None
        self._metrics: Metrics | None = None
        self._left: Metrics | None = None
        self._unseen: Collection[str] = ()
        self._failing_since: float | None = None
        self.state = "starting"
        self.given_up: dict[str, datetime | None] = {}

    def spare(self, metrics: Metrics) -> None:
        """This task may tail the stream, and does not now."""
        metrics.lag.set_function(lambda: self._lag_of_spare(metrics))

    def standing_by(self, unseen: Collection[str] = ()) -> None:
        """Other tasks tail every stream but the ``unseen``, of which nobody tells; this one looks at the leases and waits."""
        self.state = STANDING_BY
        self._unseen = unseen
        self._left = self._current = None
        self._beat = self._clock()
        self._goes_on()

    def on_duty(
        self, metrics: Metrics, since: datetime | None = None, checkpoint_age: Callable[[], float] = lambda: nan
    ) -> None:
        """
        This task got a lease and opens the stream, which was delivered up to ``since`` by others. ``checkpoint_age`` tells, in
        seconds, when the checkpoint was last written down.
        """
        self.state = "opening the stream"
        self._current = since
        self._beat = self._clock()
        self._metrics, self._left = metrics, None
        metrics.owner.set(1)
        metrics.lag.set_function(self.lag)
        metrics.checkpoint_age.set_function(checkpoint_age)

    def off_duty(self) -> None:
        """This task let go of its stream, which falls behind until somebody is seen to tail it."""
        if self._metrics:
            self.state = "looking for a lease"
            self._metrics.owner.set(0)
            self._metrics.checkpoint_age.set_function(lambda: nan)
            self.spare(self._metrics)
            self._metrics, self._left = None, self._metrics

    def waiting(self, reason: str) -> None:
        """A neighbour failed. This is not a beat: a wait that lasts shows as stalled."""
        self.state = f"waiting: {reason}"
        if self._failing_since is None:
            self._failing_since = self._clock()

    def delivered(self, batch: Batch) -> None:
        """A batch is in the queue. An empty one says that there was nothing left to deliver."""
        self.state = TAILING
        self._beat = self._clock()
        reached = self._reached(batch)
        self._current = max(self._current or reached, reached)
        if self._metrics and batch.changes:
            self._metrics.read.inc(len(batch.changes))
            self._metrics.commit_to_queue.observe(self._behind(batch.changes[0].occurred_at))
        self._goes_on()

    def stopped(self, stream: str, metrics: Metrics, since: datetime | None) -> None:
        """This task gave the stream up for good; it falls behind from here on."""
        self.given_up[stream] = since
        self._left = self._current = self._failing_since = None
        metrics.stopped.set(1)
        metrics.lag.set_function(lambda: self._behind(since))

    @property
    def noted(self) -> list[str]:
        """Those given up after they had been tailed: why stands in their records."""
        return [stream for stream, since in self.given_up.items() if since]

    def revived(self, stream: str, metrics: Metrics) -> None:
        """A person has looked: the stream is wanted again."""
        self.given_up.pop(stream, None)
        metrics.stopped.set(0)
        self.spare(metrics)

    def lag(self) -> float:
        """
        Seconds between now and the last moment up to which everything is known to be in the queue: the last change's commit or
        the last empty answer of the server, whichever is later. 0 behind another owner; NaN where nobody knows.
        """
        return 0.0 if self.state == STANDING_BY else self._behind(self._current)

    def _lag_of_spare(self, metrics: Metrics) -> float:
        """Only a look at the lease shows that another task tails the stream; without one it falls behind, or nobody knows."""
        if self.state == STANDING_BY:
            return nan if metrics.stream in self._unseen else 0.0
        return self.lag() if metrics is self._left else nan

    def _goes_on(self) -> None:
        """At the level at which the waiting was told: who sees one must see the other."""
        if self._failing_since is not None:
            waited, self._failing_since = self._clock() - self._failing_since, None
            log.warning("goes on after %.1f s: %s", waited, self.state, extra={"action": "goes_on"})

    def _reached(self, batch: Batch) -> datetime:
        """Up to when a batch shows everything to be delivered; never later than now, whatever a server's clock says."""
        now = self._now()
        if batch.changes:
            return min(batch.changes[-1].occurred_at, now)
        waited = self._beat - batch.read_at if batch.read_at is not None else 0.0
        return now - timedelta(seconds=max(0.0, waited))

    def _behind(self, since: datetime | None) -> float:
        return max(0.0, (self._now() - since).total_seconds()) if since else nan

    @property
    def healthy(self) -> bool:
        """Whether the task is moving."""
        return self._clock() - self._beat < STALLED_AFTER

    @property
    def ready(self) -> bool:
        """Whether the task tails a stream now."""
        return self.state == TAILING

    @property
    def condition(self) -> str:
        """
        In one word: ``GAVE_UP`` a stream, whatever else it does; else ``TAILING`` or ``STANDING_BY``; ``BUSY`` with becoming
        one of them.
        """
        if self.given_up:
            return GAVE_UP
        return self.state if self.state in (TAILING, STANDING_BY) else BUSY
