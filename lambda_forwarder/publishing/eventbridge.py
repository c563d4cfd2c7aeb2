"""Publishing to an EventBridge bus: full calls, an answer for each entry, and the order per document that we keep."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, ClassVar, Protocol

from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    wait_random_exponential,
)

from lambda_forwarder.errors import Misconfigured, Reaction, Rejected, Unavailable
from lambda_forwarder.event import Entry
from lambda_forwarder.ports import Published, Refused, TimeLeft
from lambda_forwarder.publishing.packing import waves

CALL_LIMIT = 1_048_576  # bytes, EventBridge, an entry and the sum of a call stay below it
TIME_SIZE = 14  # bytes that EventBridge counts for an entry's Time
CALLS_AT_ONCE = 4  # more cost CPU without gain unless the endpoint is far away

NOT_YET = retry_if_result(bool) | retry_if_exception_type(Unavailable)  # entries left over, or the whole call
WAIT = wait_random_exponential(multiplier=0.2, max=5)  # seconds: full jitter below 0.2, 0.4, 0.8 … 5, while there is time

Answer = Mapping[str, Any]
"""What a bus says about one entry, under EventBridge's names: ``ErrorCode`` if it was not accepted."""


class Bus(Protocol):
    """One of EventBridge's two kinds of bus: what differs between them."""

    call_count: ClassVar[int]
    """Entries that one call may hold."""

    codes: ClassVar[Mapping[str, Reaction]]
    """What an entry's error code asks for: again (``Unavailable``) or never (``Rejected``). All others are about us."""

    def check(self) -> None:
        """
        Make sure that the bus is there and takes events.

        Raises:
            Misconfigured: it does not, or we may not ask; the message names the setting and the remedy.
        """

    def unfit(self, entry: Entry) -> str:
        """Why the bus cannot take this entry, as far as we can tell without asking; else nothing."""

    def put(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        """
        Make one call and return the answers, in the order of the entries.

        Raises:
            Unavailable: the call was not taken, or not answered.
            Rejected: an entry of it, we do not know which, can never be taken.
            Misconfigured: the bus is not there or not ours to use.
        """


class EventBridgePublisher:
    """
    Publishes to one bus.

    A document's events never share a call and each waits until the one before was accepted: that is the order per
    document, on the ordered bus too, where nothing promises that an entry fails when the one before it did. The calls of
    different documents go out side by side.
    """

    def __init__(self, bus: Bus, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._bus = bus
        self._sleep = sleep
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="put-events")

    def check(self) -> None:
        """See ``Bus``."""
        self._bus.check()

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        """See ``Publisher``."""
        refused: list[Refused] = []
        fitting: list[Entry] = []
        for entry in entries:
            if reason := self._bus.unfit(entry):
                refused.append(Refused(entry, reason))
            else:
                fitting.append(entry)
        parts = [Published(refused=tuple(refused))]
        for wave in waves(fitting, key=_document, size=size, count=self._bus.call_count, limit=CALL_LIMIT):
            parts += self._put_wave(wave, time_left)
        return _sum(parts)

    def _put_wave(self, wave: Sequence[Sequence[Entry]], time_left: TimeLeft) -> Sequence[Published]:
        if len(wave) == 1:
            return [self._put_call(wave[0], time_left)]
        calls = [self._threads.submit(self._put_call, call, time_left) for call in wave]
        wait(calls)  # all of them, even after a failure: no call may outlive this method
        return [call.result() for call in calls]

    def _put_call(self, call: Sequence[Entry], time_left: TimeLeft) -> Published:
        """Put until each entry of the call is accepted or refused for good."""
        parts: list[Published] = []
        left = call

        def attempt() -> Sequence[Entry]:
            nonlocal left
            if time_left() <= 0:
                raise Unavailable(f"PutEvents: the time was up before {len(left)} entries were accepted")
            left, part = self._put(left)
            parts.append(part)
            return left

        def too_late(state: RetryCallState) -> bool:
            return time_left() <= state.upcoming_sleep

        retrying = Retrying(retry=NOT_YET, wait=WAIT, stop=too_late, sleep=self._sleep, reraise=True)
        try:
            retrying(attempt)
        except RetryError as error:
            raise Unavailable(f"PutEvents: {len(left)} entries still refused when the time was up") from error
        return _sum(parts)

    def _put(self, entries: Sequence[Entry]) -> tuple[Sequence[Entry], Published]:
        """One attempt: the entries to put again, and what became of the others."""
        try:
            answers = self._bus.put(entries)
        except Rejected as error:
            if len(entries) == 1:
                return [], Published(refused=(Refused(entries[0], str(error)),))
            return _joined(self._put([entry]) for entry in entries)  # one of them spoiled the call: find it
        if len(answers) != len(entries):
            raise Unavailable(f"PutEvents answered for {len(answers)} of {len(entries)} entries")
        return _joined(self._sorted(entry, answer) for entry, answer in zip(entries, answers, strict=True))

    def _sorted(self, entry: Entry, answer: Answer) -> tuple[Sequence[Entry], Published]:
        code = answer.get("ErrorCode")
        if not code:
            return [], Published(deduplicated=int(answer.get("SuccessCode") == "DEDUPLICATED"))
        reason = f"{code}: {answer.get('ErrorMessage', '')}"
        reaction = self._bus.codes.get(code, Misconfigured)
        if reaction is Misconfigured:
            raise Misconfigured(f"PutEvents answered {reason} for {entry.detail_type}")
        if reaction is Rejected:
            return [], Published(refused=(Refused(entry, reason),))
        return [entry], Published()


def size(entry: Entry) -> int:
    """Bytes of an entry as EventBridge counts them."""
    return TIME_SIZE + len(entry.source.encode()) + len(entry.detail_type.encode()) + len(entry.detail)


def too_large(entry: Entry) -> bool:
    """Whether no call can hold this entry."""
    return size(entry) >= CALL_LIMIT


def too_large_reason(entry: Entry) -> str:
    """In words, if it is; else nothing."""
    return f"{size(entry)} bytes; an event on the bus must be smaller than {CALL_LIMIT}" if too_large(entry) else ""


def _document(entry: Entry) -> str:
    return entry.document


def _joined(parts: Iterable[tuple[Sequence[Entry], Published]]) -> tuple[Sequence[Entry], Published]:
    again: list[Entry] = []
    published: list[Published] = []
    for more, part in parts:
        again += more
        published.append(part)
    return again, _sum(published)


def _sum(parts: Sequence[Published]) -> Published:
    refused = tuple(no for part in parts for no in part.refused)
    return Published(refused=refused, deduplicated=sum(part.deduplicated for part in parts))
