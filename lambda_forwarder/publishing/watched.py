"""A bus that says nothing when it is gone: it is asked for again and again, so that no event is dropped unnoticed."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from lambda_forwarder import deadline
from lambda_forwarder.errors import BusGone, Misconfigured, Unavailable
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.partial import done_before
from lambda_forwarder.ports import Published, Publisher, TimeLeft

BUS_SEEN_EVERY = 60.0  # seconds, and while the bus is there no more than one question in them from each function that is warm

log = logging.getLogger(__name__)


class Checked(Publisher, Protocol):
    """A publisher that can tell whether its bus is there."""

    def check(self) -> None:
        """
        Ask for the bus.

        Raises:
            Misconfigured: it is not there, or we may not ask.
            Unavailable: not known now.
        """


class WatchedPublisher:
    """
    Publishes through another publisher, to a bus that takes events with a 200 and drops them when it is not there.

    The bus is asked for behind the events and before anybody acknowledges them: when it is seen, whatever was published
    before has reached it. An answer that does not come changes nothing. Once it is gone, nothing is published until it is
    seen again. ``now`` is the time of day.
    """

    def __init__(self, publisher: Checked, *, now: Callable[[], datetime]) -> None:
        self._publisher = publisher
        self._now = now
        self._asked: datetime | None = None
        self._seen: datetime | None = None
        self._unconfirmed: datetime | None = None  # when the oldest change happened that was published since the bus was seen
        self._gone = False

    def check(self) -> None:
        """See ``Checked``. It counts as seen."""
        self._look()

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        """
        See ``Publisher``.

        Raises:
            BusGone: neither these entries nor what was published since the bus was seen last is sure to have reached it.
        """
        if self._gone:
            deadline.check(time_left, "the bus was asked for again")
            self._look()
        try:
            published = self._publisher.publish(entries, time_left)
        except Exception as error:
            accepted = done_before(error).accepted
            self._ask([entry for entry in entries if entry.id in accepted], time_left)
            raise
        self._ask(entries, time_left)
        return published

    def _ask(self, accepted: Sequence[Entry], time_left: TimeLeft) -> None:
        """Ask for the bus behind these, or remember that nobody did."""
        if accepted and not (self._due() and time_left() > 0 and self._confirmed()):
            oldest = min(entry.time for entry in accepted)
            self._unconfirmed = min(oldest, self._unconfirmed or oldest)

    def _due(self) -> bool:
        return self._asked is None or not 0 <= (self._now() - self._asked).total_seconds() < BUS_SEEN_EVERY

    def _confirmed(self) -> bool:
        try:
            self._look()
        except Unavailable as error:
            log.warning("the bus could not be checked: %s", error, extra={"action": "bus_not_seen"})
            return False
        return True

    def _look(self) -> None:
        self._asked = asked = self._now()  # before the question: it was there at some time behind this one
        try:
            self._publisher.check()
        except Misconfigured as error:
            self._gone = True
            raise BusGone(f"{error}{self._lost()}") from error
        self._gone, self._seen, self._unconfirmed = False, asked, None

    def _lost(self) -> str:
        """What may have been dropped, and how to have it again."""
        if not self._seen:
            return ""
        if not self._unconfirmed:
            return f"; it existed at {_time(self._seen)}, and no event that was acknowledged here since then is lost"
        return (
            f"; events published since {_time(self._seen)} may be lost: once the bus exists again, publish them again "
            f"with tailer checkpoint rewind --to {_time(min(self._seen, self._unconfirmed))}"
        )


def _time(time: datetime) -> str:
    """As ``tailer checkpoint`` reads it, cut to the second: what is published once more does no harm."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
