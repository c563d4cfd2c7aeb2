"""What EventBridge accepts in an entry. An entry beyond these limits is refused without a call."""

import re
from typing import Any

import msgspec

from lambda_forwarder.model.entry import Entry

CALL_LIMIT = 1_048_576  # bytes, EventBridge; one entry, and the sum of a call, must be smaller
TIME_SIZE = 14  # bytes that EventBridge counts for the Time of an entry
INTEGERS = range(-(2**63), 2**63)  # the integers that EventBridge reads in a detail

_long_number = re.compile(rb"\d{19}").search


def size(entry: Entry) -> int:
    """The bytes of an entry as EventBridge counts them."""
    return TIME_SIZE + len(entry.source.encode()) + len(entry.detail_type.encode()) + len(entry.detail)


def too_large(entry: Entry) -> bool:
    """Whether the entry does not fit into any call."""
    return size(entry) >= CALL_LIMIT


def rejection_reason(entry: Entry) -> str:
    """Why EventBridge would reject this entry, as far as that is known without a call; else an empty string."""
    if too_large(entry):
        return f"{size(entry)} bytes; an event on the bus must be smaller than {CALL_LIMIT}"
    try:
        if _long_number(entry.detail) and not _integers_fit(msgspec.json.decode(entry.detail)):
            return "the event contains an integer beyond int64, which EventBridge rejects"
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
