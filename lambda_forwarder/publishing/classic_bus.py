"""The classic EventBridge bus: ten entries a call, no order and no deduplication of its own."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from lambda_forwarder.errors import Misconfigured, Rejected, translated, unusable
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.publishing.eventbridge import Response, too_large_reason

INTEGERS = range(-(2**63), 2**63)  # the integers that EventBridge reads in a detail

_long_number = re.compile(rb"\d{19}").search


class ClassicBus:
    """The bus of this name or ARN. ``client`` is a boto3 ``events`` client."""

    call_count: ClassVar[int] = 10  # EventBridge, one PutEvents

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus

    def check(self) -> None:
        """See ``Bus``. PutEvents to a missing bus answers 200 and drops the events: ask at the start, and go on asking."""
        try:
            with translated("DescribeEventBus"):
                self._client.describe_event_bus(Name=self._bus)
        except (Misconfigured, Rejected) as error:
            needed = "a bus of this name in this region, and the permission events:DescribeEventBus"
            raise unusable("FORWARDER_EVENT_BUS", f"bus {self._bus!r}", error, needed) from error

    def rejection_reason(self, entry: Entry) -> str:
        """See ``Bus``."""
        return too_large_reason(entry) or unreadable_number(entry)

    def put(self, entries: Sequence[Entry]) -> Sequence[Response]:
        """See ``Bus``."""
        with translated("PutEvents"):
            response = self._client.put_events(Entries=[self._request(entry) for entry in entries])
        responses: Sequence[Response] = response["Entries"]
        return responses

    def _request(self, entry: Entry) -> dict[str, Any]:
        return {
            "EventBusName": self._bus,
            "Source": entry.source,
            "DetailType": entry.detail_type,
            "Time": entry.time,
            "Detail": entry.detail.decode(),
        }


def unreadable_number(entry: Entry) -> str:
    """Why EventBridge could not read the detail: a number beyond int64, or nesting; else nothing."""
    try:
        if _long_number(entry.detail) and not _integers_fit(msgspec.json.decode(entry.detail)):
            return "the event holds an integer beyond int64, which EventBridge rejects"
    except RecursionError:
        return "the event is nested too deeply for EventBridge"
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
