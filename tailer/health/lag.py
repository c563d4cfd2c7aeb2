"""The lag of a stream: one definition for ``/healthz``, ``/readyz``, the metric ``Lag``, its alarm and ``tailer status``."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from math import nan

from tailer.metrics.prometheus import Metrics
from tailer.model import Checkpoint, Record
from tailer.times import seconds


def seconds_behind(checkpoint: Checkpoint | None, *, seen: datetime, now: datetime, reading: bool) -> float:
    """
    Seconds from the time of the position until now. Every change up to that time is in the queue. NaN means unknown.

    ``seen`` is when the position was reported. A position later than that comes from a server whose clock is ahead, and counts
    as ``seen``. ``reading``: the stream is being read now. If the last reply was then empty and had no post-batch token, the
    stream may be idle or behind, so the lag is unknown.
    """
    if checkpoint is None or checkpoint.reached is None or (reading and checkpoint.unconfirmed):
        return nan
    reached = min(datetime.fromtimestamp(seconds(checkpoint.reached), tz=UTC), seen)
    return max(0.0, (now - reached).total_seconds())


def stored_seconds_behind(record: Record, now: datetime) -> float:
    """The lag by a stored record, as of its last write. An owner writes it a few times in every lease."""
    seen = datetime.fromisoformat(record.saved_at) if record.saved_at else now
    reading = bool(record.owner) and not record.overdue(now)
    return seconds_behind(record.checkpoint, seen=seen, now=now, reading=reading)


class Lags:
    """The lag of the stream that this task tails or released last, and the metric ``Lag`` of each of its streams."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._position: Checkpoint | None = None
        self._seen = now()
        self._tailing = False
        self._standby = False
        self._unreadable: Collection[str] = ()
        self._released: Metrics | None = None

    def current(self) -> float:
        """0 on standby. NaN means unknown."""
        if self._standby:
            return 0.0
        return seconds_behind(self._position, seen=self._seen, now=self._now(), reading=self._tailing)

    def not_tailed(self, metrics: Metrics) -> None:
        """This task does not tail the stream. The lag is 0 if the lease shows another owner, and unknown otherwise."""
        metrics.lag.set_function(lambda: self._not_tailed(metrics))

    def standing_by(self, unreadable: Collection[str]) -> None:
        """All streams but ``unreadable``, whose lease could not be read, have another owner."""
        self._tailing, self._standby, self._unreadable = False, True, unreadable
        self._released = self._position = None

    def acquired(self, metrics: Metrics, after: Checkpoint | None) -> None:
        """This task opens the stream at this position."""
        self._tailing = self._standby = False
        self._position, self._seen, self._released = after, self._now(), None
        metrics.lag.set_function(self.current)

    def delivered(self, checkpoint: Checkpoint) -> None:
        """The stream was read and delivered up to here."""
        if self._position is None or checkpoint.token != self._position.token:
            self._seen = self._now()
        self._position = checkpoint
        self._tailing, self._standby = True, False

    def waiting(self) -> None:
        """The task waits for a server: the lag grows."""
        self._tailing = self._standby = False

    def released(self, metrics: Metrics) -> None:
        """This task released the stream. The lag grows until another owner is seen."""
        self.waiting()
        self.not_tailed(metrics)
        self._released = metrics

    def gave_up(self, metrics: Metrics, after: Checkpoint | None) -> None:
        """This task gave up the stream at this position. The lag grows from now on."""
        self._released = self._position = None
        seen = self._now()
        metrics.lag.set_function(lambda: seconds_behind(after, seen=seen, now=self._now(), reading=False))

    def _not_tailed(self, metrics: Metrics) -> float:
        if self._standby:
            return nan if metrics.stream in self._unreadable else 0.0
        return self.current() if metrics is self._released else nan
