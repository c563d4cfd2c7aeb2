"""The guarantees of every publisher."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from devstack.ordered_bus import OrderedBusServer
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.in_memory import MemoryPublisher
from lambda_forwarder.ports import Published, Publisher
from lambda_forwarder.publishing.bus_checks import BusCheckingPublisher
from lambda_forwarder.publishing.buses import ClassicBus, OrderedBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from tailrace.dev.aws import Aws
from tests.lambda_forwarder.values import forever, noted, noted_entries

Arrived = Callable[[], list[str]]
"""The ids that have arrived on the bus, in order."""

TOO_LARGE = "x" * 1_048_576


class PublisherConformance:
    """A subclass has the fixtures ``publisher`` and ``arrived``."""

    def test_every_entry_is_published(self, publisher: Publisher, arrived: Arrived) -> None:
        entries = noted_entries(*(f"document-{number}" for number in range(25)))
        assert publisher.publish(entries, forever) == Published()
        assert sorted(arrived()) == sorted(entry.id for entry in entries)

    def test_events_of_a_document_arrive_in_order(self, publisher: Publisher, arrived: Arrived) -> None:
        entries = noted_entries(*"abacabadabacaba")
        publisher.publish(entries, forever)
        ids = arrived()
        for document in "abcd":
            ours = [entry.id for entry in entries if entry.document.endswith(f"/{document}")]
            assert [one for one in ids if one in ours] == ours

    def test_too_large_entry_is_refused_with_a_reason(self, publisher: Publisher, arrived: Arrived) -> None:
        """The others are published."""
        before, large, after = noted("a", 1), noted("a", 2, text=TOO_LARGE), noted("a", 3)
        [refused] = publisher.publish([before, large, after], forever).refused
        assert refused.entry == large
        assert "1048576" in refused.reason
        assert arrived() == [before.id, after.id]

    def test_publishing_again_is_allowed(self, publisher: Publisher, arrived: Arrived) -> None:
        """A bus without deduplication delivers the repeat under the same id."""
        entries = noted_entries("a")
        publisher.publish(entries, forever)
        again = publisher.publish(entries, forever)
        assert arrived() == [entries[0].id] * (2 - again.deduplicated)

    def test_no_entries_are_no_error(self, publisher: Publisher, arrived: Arrived) -> None:
        assert publisher.publish([], forever) == Published()

    def test_publish_is_unavailable_when_the_time_is_up(self, publisher: Publisher, arrived: Arrived) -> None:
        """Nothing is published."""
        with pytest.raises(Unavailable):
            publisher.publish(noted_entries("a"), lambda: 0.0)
        assert arrived() == []


class TestMemoryPublisher(PublisherConformance):
    @pytest.fixture
    def publisher(self) -> MemoryPublisher:
        return MemoryPublisher()

    @pytest.fixture
    def arrived(self, publisher: MemoryPublisher) -> Arrived:
        return lambda: [entry.id for entry in publisher.entries]


class TestClassicBus(PublisherConformance):
    """On the emulator: a bus with a rule to a queue."""

    @pytest.fixture
    def bus(self, aws: Aws) -> str:
        name = f"bus-{uuid4().hex}"
        aws("events").create_event_bus(Name=name)
        return name

    @pytest.fixture
    def publisher(self, aws: Aws, bus: str) -> EventBridgePublisher:
        return EventBridgePublisher(ClassicBus(aws("events"), bus))

    @pytest.fixture
    def arrived(self, aws: Aws, bus: str) -> Arrived:
        sqs, events = aws("sqs"), aws("events")
        url = sqs.create_queue(QueueName=bus)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": ["app.tests"]}')
        events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])

        def received() -> list[str]:
            ids: list[str] = []
            while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                ids += [json.loads(message["Body"])["detail"]["metadata"]["id"] for message in messages]
            return ids

        return received


class TestMonitoredBus(TestClassicBus):
    """As the function publishes to it: the bus is checked after every publish."""

    @pytest.fixture
    def publisher(self, aws: Aws, bus: str) -> BusCheckingPublisher:
        hours, classic = count(), ClassicBus(aws("events"), bus)
        return BusCheckingPublisher(
            EventBridgePublisher(classic),
            classic.check,
            now=lambda: datetime(2026, 11, 22, tzinfo=UTC) + timedelta(hours=next(hours)),
        )


class TestOrderedBus(PublisherConformance):
    """On the emulator, with the real client."""

    @pytest.fixture
    def bus(self, ordered: OrderedBusServer) -> str:
        return ordered.bus(f"bus-{uuid4().hex}")

    @pytest.fixture
    def publisher(self, eventbridgev2: Any, bus: str) -> EventBridgePublisher:
        return EventBridgePublisher(OrderedBus(eventbridgev2, bus))

    @pytest.fixture
    def arrived(self, ordered: OrderedBusServer, bus: str) -> Arrived:
        return lambda: [event.detail["metadata"]["id"] for event in ordered.events.of(bus)]
