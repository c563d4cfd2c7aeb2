"""The ordered EventBridge bus: a hundred entries a call, first in first out per event group, repeats dropped by their id."""

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar

from lambda_forwarder.errors import Misconfigured, Rejected, Unavailable, translated, unusable
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.publishing.classic_bus import unreadable_number
from lambda_forwarder.publishing.eventbridge import Response, too_large_reason
from tailrace.wire import identity, message

ARN_PART = ":event-busv2/"  # in the ARN of every ordered bus, and of no other
GROUPS = 128  # of a stream: few, as EventBridge asks for, and each takes 2,000 events a second; as many as lanes by default
GROUP_LIMIT = 128  # characters, EventBridge, an EventGroupId
TAKES_EVENTS = frozenset({"ACTIVE", "UPDATING", "UPDATE_FAILED"})  # "the bus remains operational"


def is_ordered(bus: str) -> bool:
    """Whether a bus, by its name or ARN, is an ordered one."""
    return ARN_PART in bus


class OrderedBus:
    """
    The bus of this ARN. ``client`` is a boto3 ``eventbridgev2`` client.

    A stream's documents share ``GROUPS`` event groups; ``metadata.id`` is the deduplication id. The service's limit for
    the size of an event is not written down: we keep to the classic bus's, and what it refuses comes back with its words.
    """

    call_count: ClassVar[int] = 100  # EventBridge, one PutEvents

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def check(self) -> None:
        """See ``Bus``. Once is enough: PutEvents to a bus that is gone answers ``ResourceNotFoundException``."""
        try:
            with translated("DescribeEventBus"):
                state = self._client.describe_event_bus(EventBusArn=self._arn).get("State", "ACTIVE")
        except (Misconfigured, Rejected) as error:
            needed = "an ordered bus with this ARN in this region, and the permission events:DescribeEventBus"
            raise unusable("FORWARDER_EVENT_BUS", f"ordered bus {self._arn!r}", error, needed) from error
        if state not in TAKES_EVENTS:
            raise Misconfigured(f"FORWARDER_EVENT_BUS: the ordered bus {self._arn!r} is {state}; wait for it or create another")

    def rejection_reason(self, entry: Entry) -> str:
        """See ``Bus``."""
        return too_large_reason(entry) or unreadable_number(entry)

    def put(self, entries: Sequence[Entry]) -> Sequence[Response]:
        """See ``Bus``. ``FailedEntryCount`` may be absent: what counts is each entry's own answer."""
        with translated("PutEvents"):
            response = self._client.put_events(EventBusArn=self._arn, Entries=[_request(entry) for entry in entries])
        responses: Sequence[Response] = response.get("Entries", ())
        for one in responses:
            if not (one.get("ErrorCode") or one.get("SuccessCode") or one.get("EventId")):
                raise Unavailable("PutEvents reported neither success nor failure for an entry")
        return responses


def group_id(stream: str, document: str) -> str:
    """
    The ``EventGroupId`` of a document, e.g. ``payments.17``, by the hash that makes its lane: with 128 lanes they are the same.

    Where the stream's name is too long, as a DynamoDB table's may be, it is a hash of that.
    """
    group = message.group_id(stream, identity.lane(document, GROUPS))
    if len(group) <= GROUP_LIMIT and group.isascii() and group.isprintable():
        return group
    return hashlib.blake2b(group.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


def _request(entry: Entry) -> dict[str, Any]:
    return {
        "Source": entry.source,
        "DetailType": entry.detail_type,
        "Time": entry.time,
        "Detail": entry.detail.decode(),
        "SystemMetadata": {"EventGroupId": group_id(entry.stream, entry.document), "DeduplicationId": entry.id},
    }
