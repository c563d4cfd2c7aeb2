"""What became of each change: its events, the reason why it was parked, or nothing."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

import msgspec

from lambda_forwarder.model.parked import Parked
from lambda_forwarder.ports import Watermarks
from tailrace.dev.changes import SeenChange
from tailrace.dev.consumer import Received

Number = tuple[str, int, int]
"""A stream, a generation and a sequence."""

CALL_SECONDS = 5.0  # to read the watermarks
ALONE_SECONDS = 5.0  # after a person moved the checkpoint, the changes of the events are not read here


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Events and parked items of one change. Without the change, it was reported before, or not read here."""

    change: SeenChange | None
    events: Sequence[Received]
    parked: Sequence[Parked] = ()


class Outcomes:
    """
    Puts together what three places know of a change: the table of watermarks that it is finished, the queue of a consumer its
    events, the parking queue the reason.

    The forwarder publishes and parks before it advances the watermark, and the emulator delivers an event before it responds.
    So what has not arrived when a change is finished will not arrive.
    """

    def __init__(
        self, watermarks: Watermarks, receive: Callable[[], list[Received]], parked: Callable[[], Iterable[str]]
    ) -> None:
        self._watermarks = watermarks
        self._receive = receive
        self._parked = parked
        self._waiting: dict[Number, SeenChange] = {}
        self._last: dict[str, tuple[int, int]] = {}
        self._events: defaultdict[Number, list[Received]] = defaultdict(list)

    def add(self, seen: SeenChange) -> None:
        self._waiting[seen.stream, *seen.position] = seen
        self._last[seen.stream] = seen.position

    def unfinished(self, seconds: float) -> list[SeenChange]:
        """Return the changes that have waited for longer than this."""
        now = time.monotonic()
        return [seen for seen in self._waiting.values() if now - seen.at > seconds]

    def finished(self) -> Iterator[Outcome]:
        """Yield the outcome of each change that was finished since the last call, in the order of its stream."""
        done = self._done()
        for event in self._all_events():
            self._events[_number(event)].append(event)
        parked = self._parked_by_number() if done else {}
        for number in done:
            change = self._waiting.pop(number)
            yield Outcome(change=change, events=self._events.pop(number, []), parked=parked.get(number, ()))
        for number in [number for number in self._events if self._is_alone(number)]:
            yield Outcome(change=None, events=self._events.pop(number))

    def _done(self) -> list[Number]:
        deadline = time.monotonic() + CALL_SECONDS
        lanes = {seen.group for seen in self._waiting.values()}
        marks = self._watermarks.read(lanes, lambda: deadline - time.monotonic()) if lanes else {}
        reached = {lane: (mark.generation, mark.sequence) for lane, mark in marks.items()}
        return [number for number, seen in self._waiting.items() if reached.get(seen.group, (0, 0)) >= seen.position]

    def _all_events(self) -> Iterator[Received]:
        """Receive until the queue is empty."""
        return chain.from_iterable(iter(self._receive, []))

    def _parked_by_number(self) -> dict[Number, list[Parked]]:
        found = defaultdict(list)
        for body in self._parked():
            item = msgspec.json.decode(body, type=Parked)
            found[item.stream, item.generation, item.sequence].append(item)
        return found

    def _is_alone(self, number: Number) -> bool:
        """Whether the change of these events was reported before, or has not been read for ``ALONE_SECONDS``."""
        stream, *position = number
        waited = datetime.now(UTC) - self._events[number][0].at
        is_old = tuple(position) <= self._last.get(stream, (0, 0)) or waited.total_seconds() > ALONE_SECONDS
        return is_old and number not in self._waiting


def _number(event: Received) -> Number:
    return event.metadata.stream, *event.position
