"""Publishes to an EventBridge bus, in full calls and in order per document. Every entry has a response of its own."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
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
from lambda_forwarder.aws.batches import waves
from lambda_forwarder.errors import Misconfigured, Rejected, Unavailable, aws_error
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.partial import note_done
from lambda_forwarder.ports import Claims, Published, Refused, TimeLeft
from lambda_forwarder.publishing.limits import CALL_LIMIT, fitting, rejection_reason, size

CALLS_AT_ONCE = 4  # more cost CPU without gain unless the endpoint is far away

INCOMPLETE = retry_if_result(bool) | retry_if_exception_type(Unavailable)  # entries are left, or the whole call failed
WAIT = wait_random_exponential(multiplier=0.2, max=5)  # seconds: full jitter below 0.2, 0.4, 0.8 … 5, while there is time

Response = Mapping[str, Any]
"""The response of a bus for one entry, with EventBridge's names. ``ErrorCode`` is present if the entry was not accepted."""


class Bus(Protocol):
    """One of EventBridge's two kinds of bus. A call has at most ``call_count`` entries."""

    call_count: ClassVar[int]

    def put(self, entries: Sequence[Entry]) -> Sequence[Response]:
        """
        Make one call. Return the responses in the order of the entries. After ``Rejected`` one of the entries can never be
        accepted; the error does not say which.
        """


@dataclass
class Outcome:
    """The results of one publish so far, also if a later call fails. Several threads may add to it."""

    accepted: list[Entry] = field(default_factory=list)
    duplicates: list[Entry] = field(default_factory=list)  # accepted entries that the bus dropped, because it already had them
    refused: list[Refused] = field(default_factory=list)

    def left(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """The entries that are neither accepted nor refused, by identity: two entries may have the same id."""
        done = {id(entry) for entry in (*self.accepted, *(refusal.entry for refusal in self.refused))}
        return [entry for entry in entries if id(entry) not in done]


class EventBridgePublisher:
    """
    Publishes to one bus. With ``claims`` an event that is too large for the bus contains a claim instead of its data.

    Two events of a document are never in the same call, and the second one waits until the first was accepted. This keeps the
    order per document. The ordered bus needs it too: it does not promise that an entry fails if the one before it failed. Calls
    for different documents run in parallel.
    """

    def __init__(self, bus: Bus, claims: Claims | None = None, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._bus = bus
        self._claims = claims
        self._sleep = sleep
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="put-events")

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        outcome = Outcome()
        if self._claims:
            entries = [fitting(entry, self._claims, time_left) for entry in entries]
        outcome.refused += (Refused(entry, reason) for entry in entries if (reason := rejection_reason(entry)))
        acceptable = outcome.left(entries)
        try:
            for wave in waves(
                acceptable, key=lambda entry: entry.document, size=size, count=self._bus.call_count, limit=CALL_LIMIT
            ):
                self._put_wave(wave, time_left, outcome)
        except Exception as error:
            note_done(error, (entry.id for entry in outcome.accepted), outcome.refused)
            raise
        return Published(refused=tuple(outcome.refused), deduplicated=len(outcome.duplicates))

    def _put_wave(self, wave: Sequence[Sequence[Entry]], time_left: TimeLeft, outcome: Outcome) -> None:
        if len(wave) == 1:
            self._put_call(wave[0], time_left, outcome)
            return
        calls = [self._threads.submit(self._put_call, call, time_left, outcome) for call in wave]
        wait(calls)  # for all of them, also after a failure: no call may outlive this method
        for call in calls:
            call.result()

    def _put_call(self, call: Sequence[Entry], time_left: TimeLeft, outcome: Outcome) -> None:
        """Retry until each entry of the call is accepted or refused for good."""

        def attempt() -> Sequence[Entry]:
            self._put(outcome.left(call), time_left, outcome)
            return outcome.left(call)

        def too_late(state: RetryCallState) -> bool:
            return time_left() <= state.upcoming_sleep

        retrying = Retrying(retry=INCOMPLETE, wait=WAIT, stop=too_late, sleep=self._sleep, reraise=True)
        try:
            retrying(attempt)
        except RetryError as error:
            raise Unavailable(f"PutEvents: {len(outcome.left(call))} entries not accepted before the time was up") from error

    def _put(self, entries: Sequence[Entry], time_left: TimeLeft, outcome: Outcome) -> None:
        """Make one attempt."""
        deadline.check(time_left, f"PutEvents had accepted {len(entries)} entries")
        try:
            responses = self._bus.put(entries)
        except Rejected as error:
            if len(entries) == 1:
                outcome.refused.append(Refused(entries[0], str(error)))
                return
            for entry in entries:  # one of them made the call fail: try each by itself
                self._put([entry], time_left, outcome)
            return
        if len(responses) != len(entries):
            raise Unavailable(f"PutEvents returned responses for {len(responses)} of {len(entries)} entries")
        problems = [self._problem(entry, response, outcome) for entry, response in zip(entries, responses, strict=True)]
        for problem in filter(None, problems):  # after the loop, so that all accepted entries are noted
            raise Misconfigured(problem)

    def _problem(self, entry: Entry, response: Response, outcome: Outcome) -> str:
        """Note the result of an entry. Return the error if a person has to fix it; else an empty string."""
        code, text = response.get("ErrorCode"), response.get("ErrorMessage", "")
        if not code:
            outcome.accepted.append(entry)
            if response.get("SuccessCode") == "DEDUPLICATED":
                outcome.duplicates.append(entry)
            return ""
        error = aws_error(f"PutEvents of {entry.detail_type}", code, text)
        if isinstance(error, Rejected):
            outcome.refused.append(Refused(entry, f"{code}: {text}"))
        return str(error) if isinstance(error, Misconfigured) else ""
