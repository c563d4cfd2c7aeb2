"""
What the forwarder needs from the world: where to publish and to park, what was published before, what was too large, and
what waits to be tried again.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.model.watermark import Watermark
from tailrace.wire.change import Claim

TimeLeft = Callable[[], float]
"""Seconds in which new work may still be begun; zero or less means stop."""


class Refused(Struct, frozen=True):
    """An entry that the bus will never accept, and why."""

    entry: Entry
    reason: str


class Published(Struct, frozen=True, kw_only=True):
    """What became of entries that were published: the refused ones, and how many the bus says it had already."""

    refused: tuple[Refused, ...] = ()
    deduplicated: int = 0


class Publisher(Protocol):
    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        """
        Return only once every entry was accepted, in order per document, or refused for good.

        Publishing an entry again is allowed: a repeat carries the same id, by which consumers know it.

        Every call looks at the time left first. Whatever is raised, ``partial.done_before`` says what was accepted and what
        was refused before.

        Raises:
            Unavailable: not now, or the time is up; publish the others again later, and what may have been accepted with them.
            Misconfigured: the bus is not there or not ours to use. ``BusGone``: that is how it was for a while already.
        """


class Parking(Protocol):
    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
        """
        Return only once each is durably kept, in order per document, for a person to look at.

        Parking the same again is allowed and harmless: a repeat carries the same id. Every call looks at the time left first.
        Whatever is raised, ``partial.done_before`` has the ids of those that are kept.

        Raises:
            Unavailable: not now, or the time is up; park the others again later.
            Misconfigured: the queue is not there or not ours to use.
        """


class Watermarks(Protocol):
    def read(self, lanes: Collection[str], time_left: TimeLeft) -> Mapping[str, Watermark]:
        """
        Return how far each of these lanes is published, by the last ``advance`` that anybody made; a new lane is left out.

        Raises:
            Unavailable: not known now, or the time is up; publish nothing of these lanes.
            Misconfigured: the table is not there or not ours to use.
        """

    def advance(self, lane: str, to: Watermark) -> None:
        """
        Return only once the lane's watermark durably stands here or further on. It never goes back.

        Raises:
            Unavailable: it may or may not have moved; whoever sees it as it was publishes repeats.
            Misconfigured: as ``read``.
        """


class Attempts(Protocol):
    def read(self, groups: Collection[str], time_left: TimeLeft) -> Mapping[str, Attempt]:
        """
        Return the last note of each of these message groups, by the last ``write`` that anybody made.

        Raises:
            Unavailable: not known now; work on none of them.
            Misconfigured: the table is not there or not ours to use.
        """

    def write(self, group: str, attempt: Attempt) -> None:
        """
        Return only once the note is durable: the process may end at the next step.

        Raises:
            Unavailable: it may or may not be there.
            Misconfigured: as ``read``.
        """


class UnmappedCollections(Protocol):
    def add(self, stream: str, counts: Mapping[str, int], time_left: TimeLeft) -> None:
        """
        Return only once so many changes more of each of these collections, which no mapper reads, are kept for the stream. What
        is kept is bounded, and is forgotten some days after a collection's last change.

        Raises:
            Unavailable: not now, or the time is up; they may be kept.
            Misconfigured: the table is not there or not ours to use.
        """


class Queue(Protocol):
    def hide(self, delays: Sequence[tuple[Delivery, float]], time_left: TimeLeft) -> None:
        """
        Let each of these messages be handed out again after so many seconds from now, in order per group. One that is not
        comes again when the queue's own visibility timeout is over.

        Raises:
            Unavailable: of some it is not done.
            Misconfigured: the queue is not ours to use.
        """


class Claims(Protocol):
    def store(self, key: str, content: bytes) -> Claim:
        """
        Return only once the content durably lies under this key. Storing the same again is allowed and harmless.

        Raises:
            Unavailable: it may lie there already; store it again later.
            Misconfigured: the bucket is not there or not ours to write.
        """

    def fetch(self, claim: Claim, time_left: TimeLeft) -> bytes:
        """
        Return what lies under the claim's key, at most one byte more of it than the claim says. Whether it is what the
        claim says is for the caller to verify.

        Raises:
            Rejected: it is gone, or lies where we do not read; the message says which.
            Unavailable: not now, or not all of it before the time was up.
            Misconfigured: the bucket is not there or not ours to read.
        """


class Backlog(Protocol):
    """A queue of what could not be published: parked changes, or dead letters."""

    def take(self, count: int, seconds: float) -> Sequence[Delivery]:
        """
        Hold at most ``count`` messages, and ten, for so long; return them in order per group. None: nothing is left to take.

        Raises:
            Unavailable: not now.
            Misconfigured: the queue is not there or not ours to read.
        """

    def remove(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:
        """
        Return only once the queue has forgotten them. Every call looks at the time left first.

        Raises:
            Unavailable: some may come again.
            Misconfigured: as ``take``.
        """

    def give_back(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:
        """
        Let them be taken again at once. Without it they can be when their time is over.

        Raises: as ``remove``.
        """
