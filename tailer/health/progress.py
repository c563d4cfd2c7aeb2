"""The state of a task in words, and when it last made progress."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

log = logging.getLogger(__name__)

NEIGHBOURS = {
    "TAILER_QUEUE_URL": "the queue",
    "TAILER_CLAIM_BUCKET": "the claim bucket",
    "TAILER_CHECKPOINTS": "the checkpoint store",
}
"""The server by the setting that an error names. An error that names none of these is about the watched database."""

SCANNING_AFTER = 10.0  # seconds without the reply to a read; an idle server responds every second
STALLED_AFTER = 120.0  # seconds without a delivered batch, a scan or a lease check; an idle stream has a batch every second


class Progress:
    """``state`` describes what the task does. ``scanning_since`` is when a scan of the server began; empty without one."""

    def __init__(self, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._clock = clock
        self._now = now
        self._made_at = clock()
        self._failing_since: float | None = None
        self.state = "starting"
        self.scanning_since = ""

    @property
    def stalled(self) -> bool:
        """Whether the task has made no progress for ``STALLED_AFTER``."""
        return self._clock() - self._made_at >= STALLED_AFTER

    def made(self, state: str) -> None:
        self._made_at = self._clock()
        self.enter(state)

    def delivered(self, state: str) -> None:
        """A batch was delivered: a scan or a wait is over."""
        if since := self.scanning_since:
            log.warning("MongoDB has ended the scan of its history that began at %s", since, extra={"action": "scanned"})
        self.made(state)
        self.log_end_of_wait()

    def enter(self, state: str) -> None:
        self.state, self.scanning_since = state, ""

    def waiting(self, reason: str) -> None:
        """
        A server failed. This does not count as progress: a long wait shows as stalled.

        The state names the kind of server. The reason, with its host, is only in the log: anyone who reaches the port may read
        the state.
        """
        server = next((name for setting, name in NEIGHBOURS.items() if setting in reason), "the database")
        self.enter(f"waiting for {server}")
        if self._failing_since is None:
            self._failing_since = self._clock()

    def reading(self, seconds: float) -> str:
        """
        A read has been outstanding for ``seconds`` on a working connection. After ``SCANNING_AFTER`` this is a scan of the
        history, and the time at which it began is returned. A scan counts as progress; TAILER_SCAN_SECONDS ends it.
        """
        if seconds < SCANNING_AFTER:
            return ""
        since = self.scanning_since
        if not since:
            since = (self._now() - timedelta(seconds=seconds)).isoformat(timespec="seconds").replace("+00:00", "Z")
            log.warning(
                "MongoDB has not responded to a read for %.0f s, so it is scanning its history. The stream continues after the "
                "scan. TAILER_SCAN_SECONDS limits the time of a scan",
                seconds,
                extra={"action": "scanning"},
            )
        self._made_at = self._clock()
        self.state, self.scanning_since = f"scanning since {since}", since  # never empty in between: a probe would see no scan
        return since

    def log_end_of_wait(self) -> None:
        """Log that a wait has ended, at the level of its beginning: a reader who sees the one must see the other."""
        if self._failing_since is not None:
            waited, self._failing_since = self._clock() - self._failing_since, None
            log.warning("the task continues after a wait of %.1f s: it is %s", waited, self.state, extra={"action": "goes_on"})

    def forget_wait(self) -> None:
        """The task gave up the stream that it waited for."""
        self._failing_since = None
