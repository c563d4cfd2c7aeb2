"""The state of the simulated ordered bus: buses, and their events in order of arrival."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tailrace.dev.aws import arn

CALL_COUNT = range(1, 101)  # entries, the service model
TEXT_LIMITS = {"Source": 256, "DetailType": 128}  # characters, the service model
ID_LIMIT = 128  # characters, the service model, a group's and a deduplication id


class Failure(Exception):
    """The service responds with this error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event as a subscriber reads it."""

    id: str
    number: int  # of the event on its bus, in the order in which events were accepted
    group: str | None
    detail_type: str
    detail: dict[str, Any]


@dataclass(kw_only=True)
class _Bus:
    name: str
    state: str = "ACTIVE"
    events: list[Event] = field(default_factory=list)
    by_deduplication: dict[tuple[str | None, str], Event] = field(default_factory=dict)


class OrderedEvents:
    """The state of the service. It keeps deduplication ids for ever; AWS does not document for how long the service does."""

    def __init__(self) -> None:
        self._buses: dict[str, _Bus] = {}

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["Name"]
        if any(bus.name == name for bus in self._buses.values()):
            raise Failure("ResourceAlreadyExistsException", f"there is a bus {name}")
        bus_arn = arn("events", f"event-busv2/{name}/{uuid.uuid4().hex[:25]}")
        self._buses[bus_arn] = _Bus(name=name)
        return self.describe({"EventBusArn": bus_arn})

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        bus = self._bus(request)
        return {"EventBusArn": request["EventBusArn"], "Name": bus.name, "State": bus.state}

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._bus(request)
        del self._buses[request["EventBusArn"]]
        return {}

    def put(self, request: Mapping[str, Any], failing: Mapping[int, str]) -> dict[str, Any]:
        """Return a result for each entry. ``failing`` has the error codes of entries that fail, by position."""
        bus, entries = self._bus(request), request.get("Entries", ())
        if bus.state == "CREATING":
            raise Failure("InvalidStateException", "the bus is being created")
        _check(entries)
        responses = [
            _refusal(failing[position]) if position in failing else self._accept(bus, entry)
            for position, entry in enumerate(entries)
        ]
        failed = sum("ErrorCode" in response for response in responses)
        return {"Entries": responses} | ({"FailedEntryCount": failed} if failed else {})

    def of(self, bus_arn: str) -> Sequence[Event]:
        """Return the events of a bus in the order in which they were accepted."""
        return list(self._buses[bus_arn].events)

    def set_state(self, bus_arn: str, state: str) -> None:
        self._buses[bus_arn].state = state

    def _bus(self, request: Mapping[str, Any]) -> _Bus:
        if request.get("EventBusArn") not in self._buses:
            raise Failure("ResourceNotFoundException", f"there is no bus {request.get('EventBusArn')}")
        return self._buses[request["EventBusArn"]]

    def _accept(self, bus: _Bus, entry: Mapping[str, Any]) -> dict[str, Any]:
        try:
            detail = json.loads(entry.get("Detail", "{}"))
        except ValueError:
            return _refusal("InvalidInputException")
        system = entry.get("SystemMetadata", {})
        group, once = system.get("EventGroupId"), system.get("DeduplicationId")
        if once and (known := bus.by_deduplication.get((group, once))):
            return {"EventId": known.id, "SequenceNumber": str(known.number), "SuccessCode": "DEDUPLICATED"}
        number = len(bus.events) + 1
        event = Event(id=str(uuid.uuid4()), number=number, group=group, detail_type=entry["DetailType"], detail=detail)
        bus.events.append(event)
        if once:
            bus.by_deduplication[group, once] = event
        return {"EventId": event.id, "SequenceNumber": str(number), "SuccessCode": "PUBLISHED"}


def _check(entries: Sequence[Mapping[str, Any]]) -> None:
    """Check the constraints of the service model. The messages of the real service are unknown."""
    if len(entries) not in CALL_COUNT:
        raise Failure("InvalidInputException", f"{len(entries)} entries")
    for entry in entries:
        for name, limit in TEXT_LIMITS.items():
            if not 0 < len(entry.get(name, "")) <= limit:
                raise Failure("InvalidInputException", f"{name} has {len(entry.get(name, ''))} characters")
        for name, value in entry.get("SystemMetadata", {}).items():
            if not value.strip() or len(value) > ID_LIMIT:
                raise Failure("InvalidInputException", f"{name} has {len(value)} characters")


def _refusal(code: str) -> dict[str, Any]:
    return {"ErrorCode": code, "ErrorMessage": "fault of the test"}
