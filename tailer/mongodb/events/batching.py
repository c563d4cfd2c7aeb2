"""Decodes the events of a reply in batches, each of bounded size in memory."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bson.raw_bson import RawBSONDocument

from tailer.encoded import Encoded
from tailer.errors import TailerError
from tailer.mongodb.events.decoded_size import WORST, decoded_size
from tailer.mongodb.events.event_reader import EventReader
from tailer.mongodb.events.positions import event_token
from tailer.read_limits import MEMORY_LIMIT, ReadLimits
from tailer.resume_tokens import change_id
from tailrace.wire.change import Change

BSON_LIMIT = 4_194_304  # bytes of BSON: the events of one batch
SIZE_LIMIT = 33_554_432  # bytes of memory: a batch that takes as much until it is sent is full
SMALL_EVENT = SIZE_LIMIT // WORST  # bytes of BSON: an event up to here takes at most SIZE_LIMIT, whatever it contains
MB = 1_048_576
_DECODED = 10  # times its BSON: the memory of an ordinary change that is not encoded


class Decoded(NamedTuple):
    """The changes of one batch, the bytes of memory that they take until they are sent, and the event of the last change."""

    changes: list[Change]
    size: int
    last: RawBSONDocument | None


class Batcher:
    """
    Decodes the events of one open stream. Each change is encoded before the next event is decoded, so that memory holds the
    documents of one event only. Memory is reserved in ``limits`` first.
    """

    def __init__(self, reader: EventReader, limits: ReadLimits, encode: Callable[[Change], Change]) -> None:
        self._reader = reader
        self._limits = limits
        self._encode = encode

    def wait(self) -> None:
        """Return once a reply may be read; it may have 16 MB. If nothing may be read ahead, this is once all is sent."""
        self._limits.reserve(0)

    def next(self, events: "deque[RawBSONDocument]", sequence: int) -> Decoded:
        """
        Remove events from the left, as many as one batch may hold, and return their changes, numbered from ``sequence``. A
        large event is alone in its batch. Only an error of the first event is raised: a later one ends the batch before it.
        """
        changes: list[Change] = []
        event = None
        size = bson = 0
        estimate = _estimate(events)
        reserved = min(estimate, MEMORY_LIMIT)
        self._limits.reserve(reserved)
        while events and (not changes or (size < SIZE_LIMIT and self._fits(events[0], len(changes), bson))):
            try:
                change = self._encode(self._change(events[0], sequence + len(changes), len(changes), estimate))
            except TailerError:
                if not changes:
                    raise
                break  # the changes before it are sent first
            event = events.popleft()
            bson += len(event.raw)
            changes.append(change)
            size += change.size if isinstance(change, Encoded) else _DECODED * len(event.raw)
        self._limits.release(reserved - size)
        return Decoded(changes, size, event)

    def _change(self, event: RawBSONDocument, sequence: int, number: int, estimate: int) -> Change:
        if reason := _too_large(estimate) or self._crash_reason(event):
            return self._reader.stub(event, sequence, reason)
        return self._reader.change(event, sequence, number)

    def _crash_reason(self, event: RawBSONDocument) -> str:
        before_decoding = self._limits.before_decoding
        return before_decoding(change_id(event_token(event))) if before_decoding else ""

    def _fits(self, event: RawBSONDocument, changes: int, bson: int) -> bool:
        """Whether the event may be added to a batch of so many changes and bytes of BSON."""
        size = len(event.raw)
        if changes == self._limits.batch_limit or size > SMALL_EVENT or (changes == 1 and bson > SMALL_EVENT):
            return False
        return bson + size <= BSON_LIMIT


def _estimate(events: Sequence[RawBSONDocument]) -> int:
    """The highest number of bytes that decoding the next batch takes: a full one and its last event, or one large event."""
    if not events:
        return 0
    if (size := len(events[0].raw)) <= SMALL_EVENT:
        return 2 * SIZE_LIMIT
    if size * WORST <= MEMORY_LIMIT:
        return size * WORST
    try:
        return decoded_size(events[0].raw)
    except (IndexError, KeyError, ValueError):  # invalid BSON: decoding reports it
        return size * WORST


def _too_large(estimate: int) -> str:
    """Why an event of this size is not decoded. Empty if it may be."""
    if estimate <= MEMORY_LIMIT:
        return ""
    return f"decoding it may take {estimate / MB:.0f} MB of memory, and the limit is {MEMORY_LIMIT / MB:.0f} MB"
