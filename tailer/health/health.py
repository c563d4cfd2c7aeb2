"""The state of a task. Healthy means that it makes progress or is up to date, not only that the process runs."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from math import nan

from tailer.health.lag import Lags
from tailer.metrics.prometheus import Metrics
from tailer.model import Batch, Checkpoint

log = logging.getLogger(__name__)

TAILING = "tailing"
STANDING_BY = "standing by"
GAVE_UP = "gave up"
BUSY = "busy"
CONDITION = "Tailrace-Condition"  # the HTTP header with one of these four, for programs; the text is for people
NEIGHBOURS = {
    "TAILER_QUEUE_URL": "the queue",
    "TAILER_CLAIM_BUCKET": "the claim bucket",
    "TAILER_CHECKPOINTS": "the checkpoint store",
}
"""The server by the setting that an error names. An error that names none of these is about the watched database."""

SCANNING_AFTER = 10.0  # seconds without the reply to a read; an idle server responds every second
STALLED_AFTER = 120.0  # seconds without a delivered batch, a scan or a lease check; an idle stream has a batch every second


class Health:
    """Written by the loop, read by the HTTP endpoints. ``clock`` is monotonic, ``now`` the time of day in UTC."""

    def __init__(self, *, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._clock = clock
        self._now = now
        self._progress_at = clock()
        self._lags = Lags(now)
        self._metrics: Metrics | None = None
        self._failing_since: float | None = None
        self._save_failure: Callable[[], str] = lambda: ""
        self._scanning_since = ""
        self.state = "starting"
        self.given_up: dict[str, Checkpoint | None] = {}

    def add(self, metrics: Metrics) -> None:
        """This task may tail the stream, but does not now."""
        self._lags.not_tailed(metrics)

    def standing_by(self, unreadable: Collection[str] = ()) -> None:
        """All streams but ``unreadable``, whose lease could not be read, have an owner. This task is on standby."""
        self._progress(STANDING_BY)
        self._lags.standing_by(unreadable)
        self._log_end_of_wait()

    def lease_acquired(
        self,
        metrics: Metrics,
        after: Checkpoint | None = None,
        checkpoint_age: Callable[[], float] = lambda: nan,
        save_failure: Callable[[], str] = lambda: "",
    ) -> None:
        """
        This task acquired a lease and opens the stream, which was delivered up to ``after``. ``checkpoint_age`` returns the
        seconds since the checkpoint was last written; ``save_failure`` returns why it cannot be written now.
        """
        self._progress("opening the stream")
        self._save_failure = save_failure
        self._metrics = metrics
        self._lags.acquired(metrics, after)
        metrics.owner.set(1)
        metrics.checkpoint_age.set_function(checkpoint_age)

    def lease_released(self) -> None:
        """This task released its stream. The lag grows until another owner is seen."""
        self._save_failure = lambda: ""
        if self._metrics:
            self.state, self._scanning_since = "looking for a lease", ""
            self._metrics.owner.set(0)
            self._metrics.checkpoint_age.set_function(lambda: nan)
            self._lags.released(self._metrics)
            self._metrics = None

    def waiting(self, reason: str) -> None:
        """
        A server failed. This does not count as progress: a long wait shows as stalled.

        The state names the kind of server. The reason, with its host, is only in the log: anyone who reaches the port may read
        the state.
        """
        server = next((name for setting, name in NEIGHBOURS.items() if setting in reason), "the database")
        self.state, self._scanning_since = f"waiting for {server}", ""
        self._lags.waiting()
        if self._failing_since is None:
            self._failing_since = self._clock()

    def reading(self, seconds: float) -> str:
        """
        A read has been outstanding for ``seconds`` on a working connection. After ``SCANNING_AFTER`` this is a scan of the
        history, and the time at which it began is returned. A scan is healthy; TAILER_SCAN_SECONDS ends it.
        """
        if seconds < SCANNING_AFTER:
            return ""
        since = self._scanning_since
        if not since:
            since = (self._now() - timedelta(seconds=seconds)).isoformat(timespec="seconds").replace("+00:00", "Z")
            log.warning(
                "MongoDB has not responded to a read for %.0f s, so it is scanning its history. The stream continues after the "
                "scan. TAILER_SCAN_SECONDS limits the time of a scan",
                seconds,
                extra={"action": "scanning"},
            )
        self._progress(f"scanning since {since}")
        self._scanning_since = since
        self._lags.waiting()
        return since

    def delivered(self, batch: Batch) -> None:
        """A batch is in the queue. An empty batch moves the position if it has a post-batch token."""
        if self._scanning_since:
            since = self._scanning_since
            log.warning("MongoDB has ended the scan of its history that began at %s", since, extra={"action": "scanned"})
        self._progress(TAILING)
        self._lags.delivered(batch.checkpoint)
        if self._metrics and batch.changes:
            self._metrics.read.inc(len(batch.changes))
            took = (self._now() - batch.changes[0].occurred_at).total_seconds()
            self._metrics.commit_to_queue.observe(max(0.0, took))
        self._log_end_of_wait()

    def gave_up(self, stream: str, metrics: Metrics, after: Checkpoint | None) -> None:
        """This task gave up the stream. Its lag grows from here on."""
        self.given_up[stream] = after
        self._failing_since = None
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
    def healthy(self) -> bool:
        """
        Whether the task makes progress, and could take over every stream. A standby that had to give up a stream before it
        tailed it could not: a deployment must notice this while the tasks that it replaces still run.
        """
        cannot_take_over = self.state == STANDING_BY and None in self.given_up.values()
        return self._clock() - self._progress_at < STALLED_AFTER and not cannot_take_over

    @property
    def save_failure(self) -> str:
        """Why the checkpoint of the tailed stream cannot be saved now. Empty if it can."""
        return self._save_failure()

    @property
    def ready(self) -> bool:
        """Whether the task tails a stream or waits for the scan of a server, and can save its checkpoint."""
        return (self.state == TAILING or bool(self._scanning_since)) and not self.save_failure

    @property
    def condition(self) -> str:
        """``GAVE_UP`` if the task gave up a stream; else ``TAILING``, ``STANDING_BY``, or ``BUSY`` in between."""
        if self.given_up:
            return GAVE_UP
        if self._scanning_since:
            return TAILING
        return self.state if self.state in (TAILING, STANDING_BY) else BUSY

    def _progress(self, state: str) -> None:
        self.state, self._scanning_since = state, ""
        self._progress_at = self._clock()

    def _log_end_of_wait(self) -> None:
        """Log the end of a wait at the level of its beginning: a reader who sees the beginning must see the end."""
        if self._failing_since is not None:
            waited, self._failing_since = self._clock() - self._failing_since, None
            log.warning("the task continues after a wait of %.1f s: it is %s", waited, self.state, extra={"action": "goes_on"})
