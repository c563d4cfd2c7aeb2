"""
What EventBridge accepts in an entry. An entry beyond these limits is refused without a call, except that the data of an event
that is too large can go to the claim bucket.
"""

import hashlib
import re
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Claims, TimeLeft
from tailrace.wire.change import Claim

CALL_LIMIT = 1_048_576  # bytes, EventBridge; one entry, and the sum of a call, must be smaller
TIME_SIZE = 14  # bytes that EventBridge counts for the Time of an entry
INTEGERS = range(-(2**63), 2**63)  # the integers that EventBridge reads in a detail


class _Detail(Struct, frozen=True):
    metadata: Raw
    data: Raw


class _ClaimDetail(Struct, frozen=True):
    metadata: Raw
    claim: Claim


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Detail).decode
_long_number = re.compile(rb"\d{19}").search


def size(entry: Entry) -> int:
    """The bytes of an entry as EventBridge counts them."""
    return TIME_SIZE + len(entry.source.encode()) + len(entry.detail_type.encode()) + len(entry.detail)


def too_large(entry: Entry) -> bool:
    """Whether the entry does not fit into any call."""
    return size(entry) >= CALL_LIMIT


def fitting(entry: Entry, claims: Claims, time_left: TimeLeft) -> Entry:
    """Return the entry. If it is too large, store its data, and return an entry with a claim instead."""
    if not too_large(entry):
        return entry
    deadline.check(time_left, "an event too large for the bus was stored")
    detail = _decode(entry.detail)
    claim = claims.store(key(entry, bytes(detail.data)), bytes(detail.data))
    return replace(entry, detail=_encode(_ClaimDetail(detail.metadata, claim)))


def key(entry: Entry, data: bytes) -> str:
    """
    The key of an event's data, a function of both. A repeat of the event stores the same object again. Other data of the event,
    from a mapper that was changed, does not replace the object that consumers have a claim to.
    """
    return f"events/{entry.detail_type}/{entry.id}-{hashlib.sha256(data).hexdigest()[:16]}.json"


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
