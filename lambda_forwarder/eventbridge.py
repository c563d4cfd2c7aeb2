"""The classic EventBridge bus: ten entries a call, an answer for each of them, and no order but the one we keep."""

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import msgspec
from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    wait_random_exponential,
)

from lambda_forwarder.errors import Misconfigured, Rejected, Unavailable, translated
from lambda_forwarder.event import Entry
from lambda_forwarder.packing import waves
from lambda_forwarder.ports import Refused, TimeLeft

CALL_COUNT = 10  # entries, EventBridge, one PutEvents
CALL_LIMIT = 1_048_576  # bytes, EventBridge, an entry and the sum of a call stay below it
TIME_SIZE = 14  # bytes that EventBridge counts for an entry's Time
INTEGERS = range(-(2**63), 2**63)  # the integers that EventBridge reads in a detail
CALLS_AT_ONCE = 4  # more cost CPU without gain unless the endpoint is far away

AGAIN = frozenset({"ThrottlingException", "InternalFailure"})  # the two that EventBridge calls retryable
NEVER = frozenset({"MalformedDetail", "InvalidArgument"})  # about the entry itself; all others are about us
NOT_YET = retry_if_result(bool) | retry_if_exception_type(Unavailable)  # entries left over, or the whole call
WAIT = wait_random_exponential(multiplier=0.2, max=5)  # seconds: full jitter below 0.2, 0.4, 0.8 … 5, while there is time

_long_number = re.compile(rb"\d{19}").search


class EventBridgePublisher:
    """
    Publishes to one bus. ``client`` is a boto3 ``events`` client.

    A document's events never share a call and each waits until the one before was accepted: that is the order per
    document. The calls of different documents go out side by side.
    """

    def __init__(self, client: Any, bus: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._bus = bus
        self._sleep = sleep
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="put-events")

    def check(self) -> None:
        """
        Make sure that the bus exists: PutEvents to a missing one answers 200 and drops the events.

        Raises:
            Misconfigured: it does not, or we may not ask.
        """
        try:
            with translated("DescribeEventBus"):
                self._client.describe_event_bus(Name=self._bus)
        except (Misconfigured, Rejected) as error:
            raise Misconfigured(
                f"FORWARDER_EVENT_BUS: there is no bus {self._bus!r} that we may describe ({error}); "
                "create it, or correct the name, the region or the permission events:DescribeEventBus"
            ) from error

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Sequence[Refused]:
        """See ``Publisher``."""
        refused: list[Refused] = []
        fitting: list[Entry] = []
        for entry in entries:
            if reason := _unfit(entry):
                refused.append(Refused(entry, reason))
            else:
                fitting.append(entry)
        for wave in waves(fitting, key=_document, size=size, count=CALL_COUNT, limit=CALL_LIMIT):
            for never in self._put_wave(wave, time_left):
                refused += never
        return refused

    def _put_wave(self, wave: Sequence[Sequence[Entry]], time_left: TimeLeft) -> list[list[Refused]]:
        if len(wave) == 1:
            return [self._put_call(wave[0], time_left)]
        calls = [self._threads.submit(self._put_call, call, time_left) for call in wave]
        wait(calls)  # all of them, even after a failure: no call may outlive this method
        return [call.result() for call in calls]

    def _put_call(self, call: Sequence[Entry], time_left: TimeLeft) -> list[Refused]:
        """Put until each entry of the call is accepted or refused for good."""
        refused: list[Refused] = []
        left = call

        def attempt() -> Sequence[Entry]:
            nonlocal left
            if time_left() <= 0:
                raise Unavailable(f"PutEvents: the time was up before {len(left)} entries were accepted")
            left, never = self._put(left)
            refused.extend(never)
            return left

        def too_late(state: RetryCallState) -> bool:
            return time_left() <= state.upcoming_sleep

        retrying = Retrying(retry=NOT_YET, wait=WAIT, stop=too_late, sleep=self._sleep, reraise=True)
        try:
            retrying(attempt)
        except RetryError as error:
            raise Unavailable(f"PutEvents: {len(left)} entries still refused when the time was up") from error
        return refused

    def _put(self, entries: Sequence[Entry]) -> tuple[list[Entry], list[Refused]]:
        """One attempt: the entries to put again, and those never to."""
        try:
            with translated("PutEvents"):
                answer = self._client.put_events(Entries=[self._request(entry) for entry in entries])
        except Rejected as error:
            if len(entries) == 1:
                return [], [Refused(entries[0], str(error))]
            return _joined(self._put([entry]) for entry in entries)  # one of them spoiled the call: find it
        return _joined(_sorted(entry, result) for entry, result in zip(entries, answer["Entries"], strict=True))

    def _request(self, entry: Entry) -> dict[str, Any]:
        return {
            "EventBusName": self._bus,
            "Source": entry.source,
            "DetailType": entry.detail_type,
            "Time": entry.time,
            "Detail": entry.detail.decode(),
        }


def size(entry: Entry) -> int:
    """Bytes of an entry as EventBridge counts them."""
    return TIME_SIZE + len(entry.source.encode()) + len(entry.detail_type.encode()) + len(entry.detail)


def _document(entry: Entry) -> str:
    return entry.document


def _unfit(entry: Entry) -> str:
    """Why the bus cannot take this entry, as far as we can tell without asking; else nothing."""
    if size(entry) >= CALL_LIMIT:
        return f"{size(entry)} bytes; an event on the bus must be smaller than {CALL_LIMIT}"
    try:
        if _long_number(entry.detail) and not _integers_fit(msgspec.json.decode(entry.detail)):
            return "it holds an integer that does not fit int64, which EventBridge does not read"
    except RecursionError:
        return "it is nested too deeply to be read"
    return ""


def _integers_fit(value: Any) -> bool:
    match value:
        case dict():
            return all(map(_integers_fit, value.values()))
        case list():
            return all(map(_integers_fit, value))
        case int():
            return value in INTEGERS
    return True


def _sorted(entry: Entry, result: dict[str, Any]) -> tuple[list[Entry], list[Refused]]:
    code = result.get("ErrorCode")
    if not code:
        return [], []
    if code in AGAIN:
        return [entry], []
    reason = f"{code}: {result.get('ErrorMessage', '')}"
    if code in NEVER:
        return [], [Refused(entry, reason)]
    raise Misconfigured(f"PutEvents answered {reason} for {entry.detail_type}")


def _joined(parts: Any) -> tuple[list[Entry], list[Refused]]:
    again: list[Entry] = []
    never: list[Refused] = []
    for more, refused in parts:
        again += more
        never += refused
    return again, never
