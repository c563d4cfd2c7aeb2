"""The state of a task and its lag. Healthy means that it makes progress or is up to date, not only that the process runs."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from math import nan

from tailer.checkpoints.lease import Clock
from tailer.health.lag import seconds_behind
from tailer.metrics.prometheus import Metrics
from tailer.model import Batch, Checkpoint

log = logging.getLogger(__name__)

TAILING = "tailing"
STANDING_BY = "standing by"
GAVE_UP = "gave up"
BUSY = "busy"
CONDITION = "Tailrace-Condition"  # the header with one of these four, for programs; the text is for people
NEIGHBOURS = {
    "TAILER_QUEUE_URL": "the queue",
    "TAILER_CLAIM_BUCKET": "the claim bucket",
    "TAILER_CHECKPOINTS": "the checkpoint store",
}
"""By the setting that an error names. An error that names none of these is about the watched database."""

SCANNING = "scanning since"
SCANNING_AFTER = 10.0  # seconds without the reply to a read: an idle server answers every second
STALLED_AFTER = 120.0  # seconds without a delivered batch, a scan or a lease check; an idle stream has a batch every second


class Health:
    """Written by the loop, read by the HTTP endpoints. ``clock`` is monotonic, ``now`` the time of day in UTC."""

    def __init__(self, *, clock: Clock, now: Callable[[], datetime]) -> None:
        self._clock = clock
        self._now = now
        self._beat = clock()
        self._position: Checkpoint | None = None
        self._seen = now()
        self._metrics: Metrics | None = None
        self._left: Metrics | None = None
        self._unseen: Collection[str] = ()
        self._failing_since: float | None = None
        self._unsaved: Callable[[], str] = lambda: ""
        self._scanning_since = ""
        self.state = "starting"
        self.given_up: dict[str, Checkpoint | None] = {}

    def standby(self, metrics: Metrics) -> None:
        """This task could tail the stream, but does not now."""
        metrics.lag.set_function(lambda: self._lag_on_standby(metrics))

    def standing_by(self, unseen: Collection[str] = ()) -> None:
        """All streams but ``unseen``, whose lease could not be read, have an owner. This task is on standby."""
        self.state, self._scanning_since = STANDING_BY, ""
        self._unseen = unseen
        self._left = self._position = None
        self._beat = self._clock()
        self._goes_on()

    def lease_acquired(
        self,
        metrics: Metrics,
        after: Checkpoint | None = None,
        checkpoint_age: Callable[[], float] = lambda: nan,
        unsaved: Callable[[], str] = lambda: "",
    ) -> None:
        """
        This task acquired a lease and opens the stream, which was delivered up to ``after``. ``checkpoint_age`` returns the
        seconds since the checkpoint was last written; ``unsaved`` returns why it cannot be written now.
        """
        self._unsaved = unsaved
        self.state, self._scanning_since = "opening the stream", ""
        self._position, self._seen = after, self._now()
        self._beat = self._clock()
        self._metrics, self._left = metrics, None
        metrics.owner.set(1)
        metrics.lag.set_function(self.lag)
        metrics.checkpoint_age.set_function(checkpoint_age)

    def lease_released(self) -> None:
        """This task released its stream. The lag grows until another owner is seen."""
        self._unsaved = lambda: ""
        if self._metrics:
            self.state, self._scanning_since = "looking for a lease", ""
            self._metrics.owner.set(0)
            self._metrics.checkpoint_age.set_function(lambda: nan)
            self.standby(self._metrics)
            self._metrics, self._left = None, self._metrics

    def waiting(self, reason: str) -> None:
        """
        A server failed. This does not count as progress: a long wait shows as stalled.

        The state names the kind of server. The reason, with its host, is only in the log: anyone who reaches the port may read
        the state.
        """
        which = next((words for setting, words in NEIGHBOURS.items() if setting in reason), "the database")
        self.state, self._scanning_since = f"waiting for {which}", ""
        if self._failing_since is None:
            self._failing_since = self._clock()

    def reading(self, seconds: float) -> str:
        """
        A read has been outstanding for ``seconds`` on a working connection. After ``SCANNING_AFTER`` this is a scan of the
        history, and the time at which it began is returned. A scan is healthy; TAILER_SCAN_SECONDS ends it.
        """
        if seconds < SCANNING_AFTER:
            return ""
        self._beat = self._clock()
        if not self._scanning_since:
            since = self._now() - timedelta(seconds=seconds)
            self._scanning_since = since.isoformat(timespec="seconds").replace("+00:00", "Z")
            self.state = f"{SCANNING} {self._scanning_since}"
            log.warning("no response for %.0f s: the server is scanning its history", seconds, extra={"action": "scanning"})
        return self._scanning_since

    def delivered(self, batch: Batch) -> None:
        """A batch is in the queue. An empty batch moves the position if it has a post-batch token."""
        if self._scanning_since:
            log.warning("the scan that began at %s is over", self._scanning_since, extra={"action": "scanned"})
        self.state, self._scanning_since = TAILING, ""
        self._beat = self._clock()
        if self._position is None or batch.checkpoint.token != self._position.token:
            self._seen = self._now()
        self._position = batch.checkpoint
        if self._metrics and batch.changes:
            self._metrics.read.inc(len(batch.changes))
            took = (self._now() - batch.changes[0].occurred_at).total_seconds()
            self._metrics.commit_to_queue.observe(max(0.0, took))
        self._goes_on()

    def stopped(self, stream: str, metrics: Metrics, after: Checkpoint | None) -> None:
        """This task gave up the stream. Its lag grows from here on."""
        self.given_up[stream] = after
        self._left = self._position = self._failing_since = None
        seen = self._now()
        metrics.stopped.set(1)
        metrics.lag.set_function(lambda: seconds_behind(after, seen=seen, now=self._now(), reading=False))

    @property
    def noted(self) -> list[str]:
        """The streams given up after they had been tailed. Their records contain the reason."""
        return [stream for stream, after in self.given_up.items() if after]

    def revived(self, stream: str, metrics: Metrics) -> None:
        """A person has cleared the problem: this task may tail the stream again."""
        self.given_up.pop(stream, None)
        metrics.stopped.set(0)
        self.standby(metrics)

    def lag(self) -> float:
        """``seconds_behind`` of the stream that this task tails or released last. 0 on standby; NaN if unknown."""
        if self.state == STANDING_BY:
            return 0.0
        return seconds_behind(self._position, seen=self._seen, now=self._now(), reading=self.state == TAILING)

    def _lag_on_standby(self, metrics: Metrics) -> float:
        """0 if the lease shows another owner; else the growing lag of a stream that this task released, or NaN for unknown."""
        if self.state == STANDING_BY:
            return nan if metrics.stream in self._unseen else 0.0
        return self.lag() if metrics is self._left else nan

    def _goes_on(self) -> None:
        """Log the end of a wait at the level of its beginning: whoever sees one must see the other."""
        if self._failing_since is not None:
            waited, self._failing_since = self._clock() - self._failing_since, None
            log.warning("continues after a wait of %.1f s: %s", waited, self.state, extra={"action": "goes_on"})

    @property
    def healthy(self) -> bool:
        """
        Whether the task is moving, and on standby for every stream: one that had to give up a stream before anything of it was
        delivered is no standby for it, which a deployment must see while the tasks that it replaces are still there.
        """
        no_standby = self.state == STANDING_BY and None in self.given_up.values()
        return self._clock() - self._beat < STALLED_AFTER and not no_standby

    @property
    def unsaved(self) -> str:
        """Why the checkpoint of the stream in hand cannot be saved now; empty where it can."""
        return self._unsaved()

    @property
    def ready(self) -> bool:
        """Whether the task tails a stream now, or waits for a server that looks through history; and saves how far it got."""
        return (self.state == TAILING or bool(self._scanning_since)) and not self.unsaved

    @property
    def condition(self) -> str:
        """
        In one word: ``GAVE_UP`` a stream, whatever else it does; else ``TAILING`` or ``STANDING_BY``; ``BUSY`` with becoming
        one of them.
        """
        if self.given_up:
            return GAVE_UP
        if self._scanning_since:
            return TAILING
        return self.state if self.state in (TAILING, STANDING_BY) else BUSY
