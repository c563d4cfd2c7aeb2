"""The health of a task. Healthy means that it makes progress or is up to date, not only that the process runs."""

from collections.abc import Callable, Collection
from datetime import datetime
from math import nan

from tailer.health.lag import seconds_behind
from tailer.health.progress import Progress
from tailer.metrics.prometheus import Metrics
from tailer.model import Batch, Checkpoint

TAILING = "tailing"
STANDING_BY = "standing by"
GAVE_UP = "gave up"
BUSY = "busy"
CONDITION = "Tailrace-Condition"  # the HTTP header with one of these four, for programs; the text is for people


class Health:
    """
    Written by the loop, read by the HTTP endpoints. ``clock`` is monotonic, ``now`` the time of day in UTC. ``save_failure``
    returns why the checkpoint cannot be saved now. ``given_up`` has the streams that this task gave up, and their positions.
    """

    def __init__(self, *, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._now = now
        self._progress = Progress(clock, now)
        self._position: Checkpoint | None = None  # of the stream that this task tails or released last
        self._position_seen = now()
        self._metrics: Metrics | None = None
        self._released: Metrics | None = None
        self._unreadable: Collection[str] = ()
        self.save_failure: Callable[[], str] = lambda: ""
        self.given_up: dict[str, Checkpoint | None] = {}

    def add(self, metrics: Metrics) -> None:
        """This task may tail the stream, but does not now."""
        metrics.lag.set_function(lambda: self._lag_of_other(metrics))

    def standing_by(self, unreadable: Collection[str] = ()) -> None:
        """All streams but ``unreadable``, whose lease could not be read, have an owner. This task is on standby."""
        self._progress.made(STANDING_BY)
        self._unreadable = unreadable
        self._released = self._position = None
        self._progress.log_end_of_wait()

    def lease_acquired(
        self,
        metrics: Metrics,
        after: Checkpoint | None = None,
        checkpoint_age: Callable[[], float] = lambda: nan,
        save_failure: Callable[[], str] = lambda: "",
    ) -> None:
        """
        This task acquired a lease and opens the stream, which was delivered up to ``after``. ``checkpoint_age`` returns the
        seconds since the checkpoint was last written.
        """
        self._progress.made("opening the stream")
        self.save_failure = save_failure
        self._position, self._position_seen = after, self._now()
        self._metrics, self._released = metrics, None
        metrics.owner.set(1)
        metrics.lag.set_function(self.lag)
        metrics.checkpoint_age.set_function(checkpoint_age)

    def lease_released(self) -> None:
        """This task released its stream. The lag grows until another owner is seen."""
        self.save_failure = lambda: ""
        if self._metrics:
            self._progress.enter("looking for a lease")
            self._metrics.owner.set(0)
            self._metrics.checkpoint_age.set_function(lambda: nan)
            self.add(self._metrics)
            self._metrics, self._released = None, self._metrics

    def waiting(self, reason: str) -> None:
        self._progress.waiting(reason)

    def reading(self, seconds: float) -> str:
        """A read has been outstanding for ``seconds``. Return the time at which a scan began; see ``Progress.reading``."""
        return self._progress.reading(seconds)

    def delivered(self, batch: Batch) -> None:
        """A batch is in the queue. An empty batch moves the position if it has a post-batch token."""
        if self._position is None or batch.checkpoint.position != self._position.position:
            self._position_seen = self._now()
        self._position = batch.checkpoint
        if self._metrics and batch.changes:
            self._metrics.read.inc(len(batch.changes))
            took = (self._now() - batch.changes[0].occurred_at).total_seconds()
            self._metrics.commit_to_queue.observe(max(0.0, took))
        self._progress.delivered(TAILING)

    def gave_up(self, stream: str, metrics: Metrics, after: Checkpoint | None) -> None:
        """This task gave up the stream. Its lag grows from here on."""
        self.given_up[stream] = after
        self._released = self._position = None
        self._progress.forget_wait()
        seen = self._now()
        metrics.stopped.set(1)
        metrics.lag.set_function(lambda: seconds_behind(after, seen=seen, now=self._now(), reading=False))

    def resumed(self, stream: str, metrics: Metrics) -> None:
        """A person has cleared the problem: this task may tail the stream again."""
        self.given_up.pop(stream, None)
        metrics.stopped.set(0)
        self.add(metrics)

    def lag(self) -> float:
        """``seconds_behind`` of the stream that this task tails or released last. 0 on standby; NaN if unknown."""
        if self.state == STANDING_BY:
            return 0.0
        return seconds_behind(self._position, seen=self._position_seen, now=self._now(), reading=self.state == TAILING)

    def _lag_of_other(self, metrics: Metrics) -> float:
        """0 if the lease shows another owner. The growing lag of a stream that this task released. NaN if unknown."""
        if self.state == STANDING_BY:
            return nan if metrics.stream in self._unreadable else 0.0
        return self.lag() if metrics is self._released else nan

    @property
    def state(self) -> str:
        """What the task does, in words."""
        return self._progress.state

    @property
    def healthy(self) -> bool:
        """
        Whether the task makes progress, and could take over every stream. A standby that had to give up a stream before it
        tailed it could not: a deployment must notice this while the tasks that it replaces still run.
        """
        cannot_take_over = self.state == STANDING_BY and None in self.given_up.values()
        return not self._progress.stalled and not cannot_take_over

    @property
    def ready(self) -> bool:
        """Whether the task tails a stream or waits for the scan of a server, and can save its checkpoint."""
        return (self.state == TAILING or bool(self._progress.scanning_since)) and not self.save_failure()

    @property
    def condition(self) -> str:
        """``GAVE_UP`` if the task gave up a stream; else ``TAILING``, ``STANDING_BY``, or ``BUSY`` in between."""
        if self.given_up:
            return GAVE_UP
        if self._progress.scanning_since:
            return TAILING
        return self.state if self.state in (TAILING, STANDING_BY) else BUSY
