"""Checks a classic bus again and again: PutEvents to a bus that was deleted returns 200 and drops the events."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from lambda_forwarder import deadline
from lambda_forwarder.errors import BusGone, Misconfigured, Unavailable
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.partial import done_before
from lambda_forwarder.ports import Published, Publisher, TimeLeft

BUS_CHECKED_EVERY = 60.0  # seconds, for each execution environment while the bus exists

log = logging.getLogger(__name__)


class BusCheckingPublisher:
    """
    Publishes through another publisher. After it published events, and at most once in ``BUS_CHECKED_EVERY`` seconds, it calls
    ``check``. A bus that exists then has received all events that were published before.

    A check without a response changes nothing. Once the bus is gone, nothing is published until a check finds it again.
    ``now`` returns the time of day.
    """

    def __init__(self, publisher: Publisher, check: Callable[[], None], *, now: Callable[[], datetime]) -> None:
        self._publisher = publisher
        self._check = check
        self._now = now
        self._checked: datetime | None = None  # time of the last check, whatever its result
        self._existed: datetime | None = None  # time of the last check that found the bus
        self._oldest: datetime | None = None  # time of the oldest change that was published since then
        self._gone = False

    def check(self) -> None:
        """
        Check the bus now.

        Raises:
            BusGone: it does not exist, or access is denied. Events published since the last successful check may be lost.
            Unavailable: unknown at the moment.
        """
        self._checked = started = self._now()  # the bus may be deleted while the response is on its way
        try:
            self._check()
        except Misconfigured as error:
            self._gone = True
            raise BusGone(f"{error}{self._lost()}") from error
        self._gone, self._existed, self._oldest = False, started, None

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        if self._gone:
            deadline.check(time_left, "the bus was checked again")
            self.check()
        try:
            published = self._publisher.publish(entries, time_left)
        except Exception as error:
            accepted = done_before(error).accepted
            self._check_after([entry for entry in entries if entry.id in accepted], time_left)
            raise
        self._check_after(entries, time_left)
        return published

    def _check_after(self, accepted: Sequence[Entry], time_left: TimeLeft) -> None:
        """Check the bus if a check is due; else remember that these entries were not confirmed."""
        is_due = self._checked is None or not 0 <= (self._now() - self._checked).total_seconds() < BUS_CHECKED_EVERY
        if accepted and not (is_due and time_left() > 0 and self._confirmed()):
            oldest = min(entry.time for entry in accepted)
            self._oldest = min(oldest, self._oldest or oldest)

    def _confirmed(self) -> bool:
        try:
            self.check()
        except Unavailable as error:
            log.warning("the bus could not be checked: %s", error, extra={"action": "bus_not_seen"})
            return False
        return True

    def _lost(self) -> str:
        """Which events may be lost, and the command that publishes them again."""
        if not self._existed:
            return ""
        if not self._oldest:
            return f"; it existed at {_time(self._existed)}, and no event that was acknowledged here since then is lost"
        return (
            f"; events published since {_time(self._existed)} may be lost: once the bus exists again, publish them again "
            f"with tailer checkpoint rewind --to {_time(min(self._existed, self._oldest))}"
        )


def _time(time: datetime) -> str:
    """In the form that ``tailer checkpoint`` reads, rounded down to the second: a repeat does no harm."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
