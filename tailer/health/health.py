"""The health of a task. Healthy means that it makes progress or is up to date, not only that the process runs."""

from collections.abc import Callable, Collection
from datetime import datetime
from math import nan

from tailer.health.lag import Lags
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
        self._lags = Lags(now)
        self._metrics: Metrics | None = None
        self.save_failure: Callable[[], str] = lambda: ""
        self.given_up: dict[str, Checkpoint | None] = {}

    def add(self, metrics: Metrics) -> None:
        """This task may tail the stream, but does not now."""
        self._lags.not_tailed(metrics)

    def standing_by(self, unreadable: Collection[str] = ()) -> None:
        """All streams but ``unreadable``, whose lease could not be read, have an owner. This task is on standby."""
        self._progress.made(STANDING_BY)
        self._lags.standing_by(unreadable)
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
        self._metrics = metrics
        self._lags.acquired(metrics, after)
        metrics.owner.set(1)
        metrics.checkpoint_age.set_function(checkpoint_age)

    def lease_released(self) -> None:
        """This task released its stream. The lag grows until another owner is seen."""
        self.save_failure = lambda: ""
        if self._metrics:
            self._progress.enter("looking for a lease")
            self._metrics.owner.set(0)
            self._metrics.checkpoint_age.set_function(lambda: nan)
            self._lags.released(self._metrics)
            self._metrics = None

    def waiting(self, reason: str) -> None:
        """A server failed, and the task waits. See ``Progress.waiting``."""
        self._progress.waiting(reason)
        self._lags.waiting()

    def reading(self, seconds: float) -> str:
        """A read has been outstanding for ``seconds``. Return the time at which a scan began; see ``Progress.reading``."""
        if since := self._progress.reading(seconds):
            self._lags.waiting()
        return since

    def delivered(self, batch: Batch) -> None:
        """A batch is in the queue. An empty batch moves the position if it has a post-batch token."""
        self._progress.log_end_of_scan()
        self._progress.made(TAILING)
        self._lags.delivered(batch.checkpoint)
        if self._metrics and batch.changes:
            self._metrics.read.inc(len(batch.changes))
            took = (self._now() - batch.changes[0].occurred_at).total_seconds()
            self._metrics.commit_to_queue.observe(max(0.0, took))
        self._progress.log_end_of_wait()

    def gave_up(self, stream: str, metrics: Metrics, after: Checkpoint | None) -> None:
        """This task gave up the stream. Its lag grows from here on."""
        self.given_up[stream] = after
        self._progress.forget_wait()
        self._lags.gave_up(metrics, after)
        metrics.stopped.set(1)

    def resumed(self, stream: str, metrics: Metrics) -> None:
        """A person has cleared the problem: this task may tail the stream again."""
        self.given_up.pop(stream, None)
        metrics.stopped.set(0)
        self.add(metrics)

    def lag(self) -> float:
        """``seconds_behind`` of the stream that this task tails or released last. 0 on standby; NaN if unknown."""
        return self._lags.current()

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
