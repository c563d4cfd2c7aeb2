"""
EventBridge's two kinds of bus. The classic bus keeps no order and drops no duplicates. The ordered bus keeps the order in an
event group, and drops duplicates by their id.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from lambda_forwarder.aws.resources import Resource
from lambda_forwarder.errors import Misconfigured, Unavailable, translated
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.publishing.eventbridge import Response
from tailrace.wire import identity, message

SETTING = "FORWARDER_EVENT_BUS"
NEEDS = "a bus of this name in this region, and the permission events:DescribeEventBus"
ORDERED_NEEDS = "an ordered bus with this ARN in this region, and the permission events:DescribeEventBus"
ARN_PART = ":event-busv2/"  # in the ARN of every ordered bus, and of no other
GROUPS = 128  # event groups of a stream; EventBridge asks for few, and each accepts 2,000 events a second
GROUP_LIMIT = 128  # characters, EventBridge, an EventGroupId
USABLE_STATES = frozenset({"ACTIVE", "UPDATING", "UPDATE_FAILED"})  # in these "the bus remains operational"


class ClassicBus:
    """The bus with this name or ARN. ``client`` is a boto3 ``events`` client."""

    call_count: ClassVar[int] = 10  # EventBridge, one PutEvents

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus
        self._resource = Resource(setting=SETTING, name=f"bus {bus!r}", needs=NEEDS)

    def check(self) -> None:
        """
        Return only if the bus exists. One check is not enough: PutEvents to a bus that does not exist returns 200 and drops the
        events.
        """
        with self._resource.call("DescribeEventBus"):
            self._client.describe_event_bus(Name=self._bus)

    def put(self, entries: Sequence[Entry]) -> Sequence[Response]:
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


def is_ordered(bus: str) -> bool:
    """Whether the name or ARN is that of an ordered bus."""
    return ARN_PART in bus


class OrderedBus:
    """
    The bus with this ARN. ``client`` is a boto3 ``eventbridgev2`` client.

    The documents of a stream share ``GROUPS`` event groups. ``metadata.id`` is the deduplication id. EventBridge does not
    document the size limit of an event on this bus, so the limit of the classic bus applies.
    """

    call_count: ClassVar[int] = 100  # EventBridge, one PutEvents

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn
        self._resource = Resource(setting=SETTING, name=f"ordered bus {arn!r}", needs=ORDERED_NEEDS)

    def check(self) -> None:
        """
        Return only if the bus accepts events. One check is enough: PutEvents to a bus that does not exist fails with
        ``ResourceNotFoundException``.
        """
        with self._resource.call("DescribeEventBus"):
            state = self._client.describe_event_bus(EventBusArn=self._arn).get("State", "ACTIVE")
        if state not in USABLE_STATES:
            raise Misconfigured(f"{SETTING}: the ordered bus {self._arn!r} is {state}; wait for it or create another")

    def put(self, entries: Sequence[Entry]) -> Sequence[Response]:
        """``FailedEntryCount`` can be absent, so only the responses of the entries count."""
        with translated("PutEvents"):
            response = self._client.put_events(EventBusArn=self._arn, Entries=[_request(entry) for entry in entries])
        responses: Sequence[Response] = response.get("Entries", ())
        if not all(found.get("ErrorCode") or found.get("SuccessCode") or found.get("EventId") for found in responses):
            raise Unavailable("PutEvents reported neither success nor failure for an entry")
        return responses


def group_id(stream: str, document: str) -> str:
    """
    The ``EventGroupId`` of a document, for example ``payments.17``. Its number is the document's lane if the stream has 128.

    The name of a DynamoDB table can be too long for an ``EventGroupId``. The group is then a hash of it.
    """
    group = message.group_id(stream, identity.lane(document, GROUPS))
    if len(group) <= GROUP_LIMIT and group.isascii() and group.isprintable():
        return group
    return identity.digest(group, 32).hex()


def _request(entry: Entry) -> dict[str, Any]:
    return {
        "Source": entry.source,
        "DetailType": entry.detail_type,
        "Time": entry.time,
        "Detail": entry.detail.decode(),
        "SystemMetadata": {"EventGroupId": group_id(entry.stream, entry.document), "DeduplicationId": entry.id},
    }
