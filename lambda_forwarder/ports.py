"""What the forwarder needs from the world: somewhere to publish, and somewhere to keep what can never be published."""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from lambda_forwarder.event import Entry
from lambda_forwarder.parked import Parked

TimeLeft = Callable[[], float]
"""Seconds in which new work may still be begun; zero or less means stop."""


class Refused(Struct, frozen=True):
    """An entry that the bus will never accept, and why."""

    entry: Entry
    reason: str


class Publisher(Protocol):
    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Sequence[Refused]:
        """
        Return only once every entry was accepted, in order per document, or refused for good; return the refused ones.

        Publishing an entry again is allowed: a repeat carries the same id, by which consumers know it.

        Raises:
            Unavailable: some may have been accepted; publish all of them again later.
            Misconfigured: the bus is not there or not ours to use.
        """


class Parking(Protocol):
    def park(self, parked: Sequence[Parked]) -> None:
        """
        Return only once each is durably kept, in order per document, for a person to look at.

        Parking the same again is allowed and harmless: a repeat carries the same id.

        Raises:
            Unavailable: some may be kept already; park all of them again later.
            Misconfigured: the queue is not there or not ours to use.
        """
