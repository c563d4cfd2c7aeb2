"""What every publisher promises, asked of each of them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from devstack.aws import Aws
from devstack.ordered_bus import OrderedBusServer
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.in_memory import MemoryPublisher
from lambda_forwarder.ports import Published, Publisher
from lambda_forwarder.publishing.bus_checks import BusCheckingPublisher
from lambda_forwarder.publishing.classic_bus import ClassicBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.publishing.ordered_bus import OrderedBus
from tests.lambda_forwarder.values import forever, noted, noteds

Arrived = Callable[[], list[str]]
"""The ids that have arrived on the bus, in order."""

TOO_LARGE = "x" * 1_048_576


class PublisherConformance:
    """A subclass gives ``publisher`` and ``arrived``."""

    def test_everything_is_published(self, publisher: Publisher, arrived: Arrived) -> None:
        """When it returns, every entry is on the bus."""
        entries = noteds(*(f"document-{number}" for number in range(25)))
        assert publisher.publish(entries, forever) == Published()
        assert sorted(arrived()) == sorted(entry.id for entry in entries)

    def test_a_document_keeps_its_order(self, publisher: Publisher, arrived: Arrived) -> None:
        """Whatever lies between them, a document's events arrive in their order."""
        entries = noteds(*"abacabadabacaba")
        publisher.publish(entries, forever)
        ids = arrived()
        for document in "abcd":
            ours = [entry.id for entry in entries if entry.document.endswith(f"/{document}")]
            assert [one for one in ids if one in ours] == ours

    def test_what_can_never_be_accepted_comes_back(self, publisher: Publisher, arrived: Arrived) -> None:
        """An entry that is too large is returned with the reason; the others are published."""
        before, large, after = noted("a", 1), noted("a", 2, text=TOO_LARGE), noted("a", 3)
        [refused] = publisher.publish([before, large, after], forever).refused
        assert refused.entry == large
        assert "1048576" in refused.reason
        assert arrived() == [before.id, after.id]

    def test_a_repeat_is_allowed(self, publisher: Publisher, arrived: Arrived) -> None:
        """Publishing again is no error; a bus that does not drop the repeat delivers it under the same id."""
        entries = noteds("a")
        publisher.publish(entries, forever)
        again = publisher.publish(entries, forever)
        assert arrived() == [entries[0].id] * (2 - again.deduplicated)

    def test_nothing_is_nothing(self, publisher: Publisher, arrived: Arrived) -> None:
        """No entries: no call, no error."""
        assert publisher.publish([], forever) == Published()

    def test_without_time_nothing_is_begun(self, publisher: Publisher, arrived: Arrived) -> None:
        """When the time is up it says so rather than begin."""
        with pytest.raises(Unavailable):
            publisher.publish(noteds("a"), lambda: 0.0)
        assert arrived() == []


class TestMemoryPublisher(PublisherConformance):
    @pytest.fixture
    def publisher(self) -> MemoryPublisher:
        return MemoryPublisher()

    @pytest.fixture
    def arrived(self, publisher: MemoryPublisher) -> Arrived:
        return lambda: [entry.id for entry in publisher.entries]


class TestClassicBus(PublisherConformance):
    """On the emulator: a bus of its own with a rule to a queue."""

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


class TestWatchedBus(TestClassicBus):
    """As the function publishes to it, and asked for behind every publish."""

    @pytest.fixture
    def publisher(self, aws: Aws, bus: str) -> BusCheckingPublisher:
        hours, classic = count(), ClassicBus(aws("events"), bus)
        return BusCheckingPublisher(
            EventBridgePublisher(classic),
            classic.check,
            now=lambda: datetime(2026, 11, 22, tzinfo=UTC) + timedelta(hours=next(hours)),
        )


class TestOrderedBus(PublisherConformance):
    """On the stand-in: a bus of its own, published to by the real client."""

    @pytest.fixture
    def bus(self, ordered: OrderedBusServer) -> str:
        return ordered.bus(f"bus-{uuid4().hex}")

    @pytest.fixture
    def publisher(self, eventbridgev2: Any, bus: str) -> EventBridgePublisher:
        return EventBridgePublisher(OrderedBus(eventbridgev2, bus))

    @pytest.fixture
    def arrived(self, ordered: OrderedBusServer, bus: str) -> Arrived:
        return lambda: [event.detail["metadata"]["id"] for event in ordered.events.of(bus)]
