"""Outages of the bus, on the way that a Lambda takes: what comes again, what is complete at the end, what is repeated."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from devstack.ordered_bus import OrderedBusServer, failing, failing_call
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryParking, MemoryWatermarks
from lambda_forwarder.mappings import MAPPERS
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.publishing.ordered_bus import OrderedBus
from tests.lambda_forwarder.publishing.test_eventbridge import Clock
from tests.lambda_forwarder.values import body, cancelled, delivery, inserted

INVOCATION = 10.0  # seconds


class Killed(BaseException):
    """The process ended here."""


class Function:
    """A forwarder behind a queue of three messages in two groups; each invocation has its own time."""

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
        """Every event once, in order per document; nothing parked; the queue empty."""
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
def function(ordered: OrderedBusServer, eventbridgev2: Any) -> Function:
    return Function(ordered, eventbridgev2)


@pytest.mark.parametrize("fault", [failing_call("ThrottlingException"), failing("InternalException", *range(100))])
def test_a_bus_away_for_longer_than_an_invocation(function: Function, fault: Any) -> None:
    """Invocation after invocation the messages go back untouched by the parking queue; then everything arrives."""
    function.ordered.faults += [fault] * 1_000
    for _ in range(2):
        function.invoke()
        assert len(function.queue) == 3
    function.ordered.faults.clear()
    function.invoke()
    function.check_complete()


@pytest.mark.parametrize("position", range(5))
def test_a_part_that_is_refused_until_the_time_is_up(function: Function, position: int) -> None:
    """The accepted part comes again with the rest; the bus knows it by its id."""

    def fault(entries: Any) -> dict[int, str]:
        stuck = str(position + 1)
        return {
            number: "ThrottlingException"
            for number, entry in enumerate(entries)
            if json.loads(entry["Detail"])["metadata"]["document"].endswith(f"/{stuck}")
        }

    function.ordered.faults += [fault] * 1_000
    function.invoke()
    assert len(function.queue) == 2  # the first message and the one behind it; the other group went on
    assert ("x", 8) in function.arrived()
    function.ordered.faults.clear()
    function.invoke()
    function.check_complete()


def test_killed_between_publish_and_acknowledge(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is on the bus, nobody remembers: it comes again under the same ids, and the bus drops it."""

    def killed(lane: str, to: Watermark) -> None:
        raise Killed

    monkeypatch.setattr(function.watermarks, "advance", killed)
    with pytest.raises(Killed):
        function.invoke()
    assert len(function.arrived()) == 5
    monkeypatch.undo()
    function.invoke()
    function.check_complete()


def test_an_response_that_is_lost_again_and_again(function: Function) -> None:
    """Each call was applied, none was answered: made again, it is complete and without a second event."""
    function.ordered.lost = 6
    function.invoke()
    function.check_complete()


def test_a_bus_that_nobody_reaches(function: Function) -> None:
    """A connection refused for a whole invocation is an outage like any other."""
    client = function.client
    function.client = _unreachable()
    function.invoke()
    assert len(function.queue) == 3
    function.client = client
    function.invoke()
    function.check_complete()


def test_an_ordered_bus_that_is_deleted(function: Function) -> None:
    """It says so itself, so that nobody has to ask: the messages come again until the bus that is named is there."""
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
