"""The classic EventBridge bus: up to ten entries in a call. It keeps no order and drops no duplicates."""

from collections.abc import Sequence
from typing import Any, ClassVar

from lambda_forwarder.aws.resources import Resource
from lambda_forwarder.errors import translated
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.publishing.eventbridge import Response

NEEDS = "a bus of this name in this region, and the permission events:DescribeEventBus"


class ClassicBus:
    """The bus with this name or ARN. ``client`` is a boto3 ``events`` client."""

    call_count: ClassVar[int] = 10  # EventBridge, one PutEvents

    def __init__(self, client: Any, bus: str) -> None:
        self._client = client
        self._bus = bus
        self._resource = Resource(setting="FORWARDER_EVENT_BUS", name=f"bus {bus!r}", needs=NEEDS)

    def check(self) -> None:
        """See ``Bus``. PutEvents to a bus that does not exist returns 200 and drops the events, so one check is not enough."""
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
