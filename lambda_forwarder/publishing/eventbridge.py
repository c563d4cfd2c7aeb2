"""Publishing to an EventBridge bus: full calls, an answer for each entry, and the order per document that we keep."""

import time
from collections.abc import Callable, Mapping, Sequence
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

from lambda_forwarder import deadline
from lambda_forwarder.aws.packing import waves
from lambda_forwarder.errors import Misconfigured, Rejected, Unavailable, answered
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.partial import note_done
from lambda_forwarder.ports import Published, TimeLeft
from lambda_forwarder.publishing.outcome import Outcome

CALL_LIMIT = 1_048_576  # bytes, EventBridge, an entry and the sum of a call stay below it
TIME_SIZE = 14  # bytes that EventBridge counts for an entry's Time
CALLS_AT_ONCE = 4  # more cost CPU without gain unless the endpoint is far away

NOT_YET = retry_if_result(bool) | retry_if_exception_type(Unavailable)  # entries left over, or the whole call
WAIT = wait_random_exponential(multiplier=0.2, max=5)  # seconds: full jitter below 0.2, 0.4, 0.8 … 5, while there is time

Response = Mapping[str, Any]
"""What a bus says about one entry, under EventBridge's names: ``ErrorCode`` if it was not accepted."""


class Bus(Protocol):
    """One of EventBridge's two kinds of bus: what differs between them."""

    call_count: ClassVar[int]
    """Entries that one call may hold."""

    def check(self) -> None:
        """
        Make sure that the bus is there and takes events.

        Raises:
            Misconfigured: it does not, or we may not ask; the message names the setting and the remedy.
        """

    def rejection_reason(self, entry: Entry) -> str:
        """Why the bus cannot take this entry, as far as we can tell without asking; else nothing."""

    def put(self, entries: Sequence[Entry]) -> Sequence[Response]:
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
        outcome = Outcome()
        fitting: list[Entry] = []
        for entry in entries:
            if reason := self._bus.rejection_reason(entry):
                outcome.refuse(entry, reason)
            else:
                fitting.append(entry)
        try:
            for wave in waves(fitting, key=_document, size=size, count=self._bus.call_count, limit=CALL_LIMIT):
                self._put_wave(wave, time_left, outcome)
        except Exception as error:
            note_done(error, (entry.id for entry in outcome.accepted), outcome.refused)
            raise
        return Published(refused=tuple(outcome.refused), deduplicated=outcome.deduplicated)

    def _put_wave(self, wave: Sequence[Sequence[Entry]], time_left: TimeLeft, outcome: Outcome) -> None:
        if len(wave) == 1:
            self._put_call(wave[0], time_left, outcome)
            return
        calls = [self._threads.submit(self._put_call, call, time_left, outcome) for call in wave]
        wait(calls)  # all of them, even after a failure: no call may outlive this method
        for call in calls:
            call.result()

    def _put_call(self, call: Sequence[Entry], time_left: TimeLeft, outcome: Outcome) -> None:
        """Put until each entry of the call is accepted or refused for good."""

        def attempt() -> Sequence[Entry]:
            self._put(outcome.left(call), time_left, outcome)
            return outcome.left(call)

        def too_late(state: RetryCallState) -> bool:
            return time_left() <= state.upcoming_sleep

        retrying = Retrying(retry=NOT_YET, wait=WAIT, stop=too_late, sleep=self._sleep, reraise=True)
        try:
            retrying(attempt)
        except RetryError as error:
            raise Unavailable(f"PutEvents: {len(outcome.left(call))} entries still refused when the time was up") from error

    def _put(self, entries: Sequence[Entry], time_left: TimeLeft, outcome: Outcome) -> None:
        """One attempt. What is neither accepted nor refused after it is to be put again."""
        deadline.check(time_left, f"PutEvents had accepted {len(entries)} entries")
        try:
            responses = self._bus.put(entries)
        except Rejected as error:
            if len(entries) == 1:
                outcome.refuse(entries[0], str(error))
                return
            for entry in entries:  # one of them spoiled the call: find it
                self._put([entry], time_left, outcome)
            return
        if len(responses) != len(entries):
            raise Unavailable(f"PutEvents returned responses for {len(responses)} of {len(entries)} entries")
        problems = [self._problem(entry, response, outcome) for entry, response in zip(entries, responses, strict=True)]
        for problem in filter(None, problems):  # only now: what was accepted beside it is noted
            raise Misconfigured(problem)

    def _problem(self, entry: Entry, response: Response, outcome: Outcome) -> str:
        """Take note of an answer; what is wrong with us, if the answer is about that."""
        code = response.get("ErrorCode")
        if not code:
            outcome.accept(entry, deduplicated=response.get("SuccessCode") == "DEDUPLICATED")
            return ""
        text = response.get("ErrorMessage", "")
        error = answered(f"PutEvents of {entry.detail_type}", code, text)
        if isinstance(error, Rejected):
            outcome.refuse(entry, f"{code}: {text}")
        return str(error) if isinstance(error, Misconfigured) else ""


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
