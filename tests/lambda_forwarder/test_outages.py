"""Outages of the bus during an invocation: what is received again, what is complete at the end, and what is repeated."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from devstack.ordered_bus import OrderedBusServer, failing, failing_call
from examples.payments.events import MAPPERS
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryParking, MemoryWatermarks
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.publishing.buses import OrderedBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from tests.lambda_forwarder.publishing.test_eventbridge import Clock
from tests.lambda_forwarder.values import body, cancelled, delivery, inserted

INVOCATION = 10.0  # seconds


class Killed(BaseException):
    """The process ended here."""


class FunctionWithQueue:
    """A forwarder with a queue of three messages in two groups; each invocation has its own time."""

    def __init__(self, ordered: OrderedBusServer, eventbridgev2: Any) -> None:
        self.bus = ordered.bus("payments")
        self.ordered = ordered
        self.client = eventbridgev2
        self.watermarks = MemoryWatermarks()
        self.parking = MemoryParking()
        self.queue = [
            delivery(body(*(inserted(str(number), number) for number in range(1, 6)))),
            delivery(body(cancelled("1", 6), cancelled("2", 7))),
            delivery(body(inserted("x", 8), lane=18), group="payments.18"),
        ]

    def invoke(self) -> None:
        clock = Clock(INVOCATION)
        publisher = EventBridgePublisher(OrderedBus(self.client, self.bus), sleep=clock.sleep)
        forwarder = Forwarder(mappers=MAPPERS, publisher=publisher, parking=self.parking, watermarks=self.watermarks)
        failed = forwarder.forward(self.queue, clock)
        self.queue = [one for one in self.queue if one.id in failed]

    def arrived(self) -> list[tuple[str, int]]:
        events = self.ordered.events.of(self.bus)
        return [(event.detail["metadata"]["document"][-1], event.detail["metadata"]["sequence"]) for event in events]

    def check_complete(self) -> None:
        """Assert that every event arrived once and in order per document, nothing is parked, and the queue is empty."""
        assert sorted(self.arrived(), key=lambda one: one[1]) == [
            *((str(number), number) for number in range(1, 6)),
            *(("1", 6), ("2", 7), ("x", 8)),
        ]
        for document in "12":
            sequences = [sequence for name, sequence in self.arrived() if name == document]
            assert sequences == sorted(sequences)
        assert self.queue == []
        assert self.parking.parked == {}


@pytest.fixture
def function(ordered: OrderedBusServer, eventbridgev2: Any) -> FunctionWithQueue:
    return FunctionWithQueue(ordered, eventbridgev2)


@pytest.mark.parametrize("fault", [failing_call("ThrottlingException"), failing("InternalException", *range(100))])
def test_bus_unavailable_for_longer_than_an_invocation(function: FunctionWithQueue, fault: Any) -> None:
    """Nothing is parked, and everything arrives afterwards."""
    function.ordered.faults += [fault] * 1_000
    for _ in range(2):
        function.invoke()
        assert len(function.queue) == 3
    function.ordered.faults.clear()
    function.invoke()
    function.check_complete()


@pytest.mark.parametrize("position", range(5))
def test_entry_refused_until_the_time_is_up(function: FunctionWithQueue, position: int) -> None:
    """The accepted part is published again with the rest, and deduplicated."""

    def fault(entries: Any) -> dict[int, str]:
        stuck = str(position + 1)
        return {
            number: "ThrottlingException"
            for number, entry in enumerate(entries)
            if json.loads(entry["Detail"])["metadata"]["document"].endswith(f"/{stuck}")
        }

    function.ordered.faults += [fault] * 1_000
    function.invoke()
    assert len(function.queue) == 2  # The first message and the one after it; the other group continued.
    assert ("x", 8) in function.arrived()
    function.ordered.faults.clear()
    function.invoke()
    function.check_complete()


def test_function_killed_between_publish_and_acknowledge(function: FunctionWithQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is published again under the same ids, and deduplicated."""

    def killed(lane: str, to: Watermark) -> None:
        raise Killed

    monkeypatch.setattr(function.watermarks, "advance", killed)
    with pytest.raises(Killed):
        function.invoke()
    assert len(function.arrived()) == 5
    monkeypatch.undo()
    function.invoke()
    function.check_complete()


def test_responses_lost_again_and_again(function: FunctionWithQueue) -> None:
    """Each call was applied. Repeated, the result is complete and without duplicates."""
    function.ordered.lost = 6
    function.invoke()
    function.check_complete()


def test_unreachable_bus_is_an_outage(function: FunctionWithQueue) -> None:
    client = function.client
    function.client = _unreachable()
    function.invoke()
    assert len(function.queue) == 3
    function.client = client
    function.invoke()
    function.check_complete()


def test_deleted_ordered_bus_is_an_outage(function: FunctionWithQueue) -> None:
    """The messages are received again until the bus exists."""
    named, function.bus = function.bus, function.ordered.bus("payments-2")
    function.ordered.events.delete({"EventBusArn": function.bus})
    function.invoke()
    assert len(function.queue) == 3
    assert function.parking.parked == {}
    function.bus = named
    function.invoke()
    function.check_complete()


def _unreachable() -> Any:
    class Client:
        def put_events(self, **_: object) -> None:
            raise EndpointConnectionError(endpoint_url="https://nowhere")

    return Client()
