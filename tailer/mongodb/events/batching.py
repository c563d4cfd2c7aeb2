"""The events of a reply as runs of changes, each of which is a batch: cut where it would take too much memory."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bson.raw_bson import RawBSONDocument

from tailer.change_ids import change_id
from tailer.encoded import Encoded
from tailer.errors import TailerError
from tailer.mongodb.events.change_events import event_token
from tailer.mongodb.events.decoded_size import WORST, decoded_size
from tailer.mongodb.events.event_reader import EventReader, ReadEvent
from tailer.read_limits import MEMORY_LIMIT, ReadLimits
from tailrace.wire.change import Change

BSON = 4_194_304  # bytes, of the events of one run
SIZE = 33_554_432  # bytes of memory: a run that takes as much until it is sent is full
LARGE = SIZE // WORST  # bytes of BSON: what is no larger may be decoded unseen, and takes no more than a run
MB = 1_048_576
UNENCODED = 10  # times its BSON, an ordinary change that nobody encodes


class Run(NamedTuple):
    """Changes for one batch, and what they take in memory until they are sent; ``last`` is the event of the last one."""

    changes: list[Change]
    size: int
    last: RawBSONDocument | None


class Batcher:
    """
    Of one open stream. Each change is ``encode``d before the next event is ``read``, so that the documents of one event only
    are in memory; before that ``limits`` is asked.
    """

    def __init__(self, reader: EventReader, limits: ReadLimits, encode: Callable[[Change], Change], *, read: ReadEvent) -> None:
        self._reader = reader
        self._limits = limits
        self._encode = encode
        self._read = read

    def wait(self) -> None:
        """Return once a reply may be read, which may be 16 MB: where nothing may be read ahead, once all is sent."""
        self._limits.reserve(0)

    def next(self, events: "deque[RawBSONDocument]", sequence: int) -> Run:
        """
        The changes of the first of these events, which are taken away: as many as one batch may hold, numbered from
        ``sequence``. An event that is large is alone in its batch.

        Raises:
            Closed: as ``ReadLimits.take``.
            What ``EventReader.change`` raises, for the first of them only: a later one ends the run before it.
        """
        changes: list[Change] = []
        event = None
        size = bson = 0
        estimate = _estimate(events)
        room = min(estimate, MEMORY_LIMIT)
        self._limits.reserve(room)
        while events and (not changes or (size < SIZE and self._fits(events[0], len(changes), bson))):
            try:
                change = self._encode(self._change(events[0], sequence + len(changes), len(changes), estimate))
            except TailerError:
                if not changes:
                    raise
                break  # those before it are sent first
            event = events.popleft()
            bson += len(event.raw)
            changes.append(change)
            size += change.size if isinstance(change, Encoded) else UNENCODED * len(event.raw)
        self._limits.release(room - size)
        return Run(changes, size, event)

    def _change(self, event: RawBSONDocument, sequence: int, number: int, estimate: int) -> Change:
        if reason := _too_much(estimate) or self._begin(event):
            return self._reader.refused(event, sequence, reason)
        return self._read(event, sequence, number)

    def _begin(self, event: RawBSONDocument) -> str:
        return self._limits.before_decoding(change_id(event_token(event))) if self._limits.before_decoding else ""

    def _fits(self, event: RawBSONDocument, changes: int, bson: int) -> bool:
        """Whether the event may follow so many in their run."""
        size = len(event.raw)
        if changes == self._limits.batch_limit or size > LARGE or (changes == 1 and bson > LARGE):
            return False
        return bson + size <= BSON


def _estimate(events: Sequence[RawBSONDocument]) -> int:
    """Bytes of memory that the next run may take while it is made: a full one and its last event, or one large event."""
    if not events:
        return 0
    if (size := len(events[0].raw)) <= LARGE:
        return 2 * SIZE
    if size * WORST <= MEMORY_LIMIT:
        return size * WORST
    try:
        return decoded_size(events[0].raw)
    except (IndexError, KeyError, ValueError):  # not BSON: whoever decodes it says so
        return size * WORST


def _too_much(estimate: int) -> str:
    """Why an event that may take so much is not decoded."""
    if estimate <= MEMORY_LIMIT:
        return ""
    return f"decoding it may take {estimate / MB:.0f} MB of memory, and the limit is {MEMORY_LIMIT / MB:.0f} MB"
