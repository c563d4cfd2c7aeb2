"""
The forwarder's ports: the bus, the parking queue, watermarks, last states, notes of attempts, the queue, claims and backlogs.

Every method raises ``Unavailable`` after a temporary failure, or when its ``time_left`` is up, and ``Misconfigured`` if its
resource does not exist or access is denied. A docstring adds what the caller must do then, and further errors.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.history import History
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.model.watermark import Watermark
from tailrace.wire.change import Claim

TimeLeft = Callable[[], float]
"""Seconds in which new work may be started. At zero or less, start no more calls."""


class Refused(Struct, frozen=True):
    """An entry that the bus will never accept, and the reason."""

    entry: Entry
    reason: str


class Published(Struct, frozen=True, kw_only=True):
    """The result of a publish: the refused entries, and the number of entries that the bus dropped as duplicates."""

    refused: tuple[Refused, ...] = ()
    deduplicated: int = 0


class Publisher(Protocol):
    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        """
        Return only once every entry is accepted, in order per document, or refused for good.

        Publishing an entry again is allowed: a repeat has the same id. After an error, ``partial.done_before`` has the ids of
        the accepted entries, and the refused entries. After ``Unavailable`` publish the others again later.

        Raises:
            BusGone: the bus does not exist. Entries that counted as accepted may be lost.
        """


class Parking(Protocol):
    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
        """
        Return only once every item is durably stored, in order per document.

        Parking an item again is allowed: a repeat has the same id. After an error, ``partial.done_before`` has the ids of the
        stored items. After ``Unavailable`` park the others again later.
        """


class Watermarks(Protocol):
    def read(self, lanes: Collection[str], time_left: TimeLeft) -> Mapping[str, Watermark]:
        """
        Return the watermarks of these lanes as the last ``advance`` of any process left them. A new lane has none. After
        ``Unavailable`` publish no change of these lanes.
        """

    def advance(self, lane: str, to: Watermark) -> None:
        """
        Return only once the lane's watermark is durably at ``to`` or later. It never moves back. After ``Unavailable`` it may
        have moved; if not, repeats are published.
        """


class Stored(Struct, frozen=True, kw_only=True):
    """The history of a document, and the number of its writes when it was read: 0 if nothing was stored."""

    history: History
    revision: int = 0


class LastStates(Protocol):
    def read(self, keys: Collection[str], time_left: TimeLeft) -> Mapping[str, Stored]:
        """
        Return the histories with these keys as the last ``write`` of any process left them. An unknown document has none.
        After ``Unavailable`` map no change of these documents.
        """

    def write(self, changed: Mapping[str, Stored], time_left: TimeLeft) -> None:
        """
        Return only once these histories are durable. A history that another process wrote after it was read is not replaced,
        so none goes back. After ``Unavailable``, also because of such a write, some may be stored: read all of them again.
        """


class Attempts(Protocol):
    def read(self, groups: Collection[str], time_left: TimeLeft) -> Mapping[str, Attempt]:
        """
        Return the notes of these message groups as the last ``write`` of any process left them. A new group has none. After
        ``Unavailable`` process no message of these groups.
        """

    def write(self, group: str, attempt: Attempt) -> None:
        """
        Return only once the note is durable: the process may end right after this. After ``Unavailable`` it may be stored.
        """


class UnmappedCollections(Protocol):
    def add(self, stream: str, counts: Mapping[str, int], time_left: TimeLeft) -> None:
        """
        Return only once these changes, counted by collection, are added to those stored for the stream. After ``Unavailable``
        they may be stored. The number of collections is bounded. A collection expires some days after its last change.
        """


class Queue(Protocol):
    def hide(self, delays: Sequence[tuple[Delivery, float]], time_left: TimeLeft) -> None:
        """
        Hide each message for this number of seconds, in order per group. After an error, a message may stay hidden for the
        visibility timeout of the queue instead.
        """


class Claims(Protocol):
    def store(self, key: str, content: bytes) -> Claim:
        """
        Return only once the content is durably stored under this key. Storing the same content again is allowed. After
        ``Unavailable`` store it again later.
        """

    def fetch(self, claim: Claim, time_left: TimeLeft) -> bytes:
        """
        Return the object of the claim, cut to one byte more than the claim's size. The caller verifies size and digest.

        Raises:
            Rejected: the object does not exist, or the claim names another bucket.
        """


class Backlog(Protocol):
    """A queue of parked changes or of dead letters."""

    def take(self, count: int, seconds: float) -> Sequence[Delivery]:
        """
        Receive up to min(count, 10) messages, in order per group, and hide them for ``seconds``. None: the queue is empty.
        """

    def remove(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:
        """Return only once the messages are deleted. After ``Unavailable`` some of them may be received again."""

    def give_back(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:
        """Make the messages visible at once. After an error they become visible when their time ends."""
