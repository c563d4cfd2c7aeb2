"""The ordered bus, on the emulator with the real client."""

from typing import Any

import pytest

from devstack.ordered_bus import OrderedBusServer, failing, failing_call
from lambda_forwarder.errors import Misconfigured, Unavailable
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Published
from lambda_forwarder.publishing.buses import OrderedBus, group_id, is_ordered
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from tailrace.wire.identity import lane
from tests.lambda_forwarder.publishing.test_eventbridge import Clock
from tests.lambda_forwarder.values import forever, noted, noted_entries
from tests.samples.changes import a_change

AGAIN = ["ThrottlingException", "InternalException"]


@pytest.fixture
def bus(ordered: OrderedBusServer) -> str:
    return ordered.bus("payments")


@pytest.fixture
def clock() -> Clock:
    return Clock(60.0)


@pytest.fixture
def publisher(eventbridgev2: Any, bus: str, clock: Clock) -> EventBridgePublisher:
    return EventBridgePublisher(OrderedBus(eventbridgev2, bus), sleep=clock.sleep)


def ids(ordered: OrderedBusServer, bus: str) -> list[str]:
    return [event.detail["metadata"]["id"] for event in ordered.events.of(bus)]


def test_ordered_bus_is_recognised_by_its_arn() -> None:
    """Names and classic ARNs are classic buses."""
    assert is_ordered("arn:aws:events:eu-west-1:123456789012:event-busv2/payments/0123456789abcdefghijklmno")
    assert not is_ordered("arn:aws:events:eu-west-1:123456789012:event-bus/payments")
    assert not is_ordered("payments")


def test_entry_has_a_group_and_a_deduplication_id(publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str) -> None:
    """Everything else equals a classic entry."""
    entry = noted("a", 1, text="x")
    publisher.publish([entry], forever)
    [[sent]] = ordered.calls
    assert sent["SystemMetadata"] == {"EventGroupId": group_id("payments", "payments.payments/a"), "DeduplicationId": entry.id}
    assert (sent["Source"], sent["DetailType"], sent["Time"]) == ("app.tests", "Noted", entry.time)
    assert sent["Detail"].encode() == entry.detail


def test_repeated_entry_is_deduplicated_and_counted(
    publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str
) -> None:
    assert publisher.publish(noted_entries("a", "b"), forever) == Published()
    assert publisher.publish(noted_entries("a", "b", "c"), forever) == Published(deduplicated=2)
    assert len(ids(ordered, bus)) == 3


def test_groups_are_the_default_lanes() -> None:
    """Their number is bounded, and each stream has its own."""
    groups = {group_id("payments", f"payments.payments/{number}") for number in range(5_000)}
    assert groups == {f"payments.{number}" for number in range(128)}
    change = a_change(document_key={"_id": "a"})
    assert group_id("payments", change.document) == f"payments.{lane(change.document, 128)}"
    assert group_id("refunds", "payments.payments/a") != group_id("payments", "payments.payments/a")


@pytest.mark.parametrize("stream", ["x" * 80, "dynamodb." + "x" * 255, "ä", "a\nb", "\ud800"])
@pytest.mark.parametrize("document", ["x" * 9_000, "ä", "a\nb", "\ud800", ""])
def test_group_id_is_legal_for_any_stream_and_document(stream: str, document: str) -> None:
    """Another stream has another group."""
    group = group_id(stream, document)
    assert 0 < len(group) <= 128
    assert group.isascii()
    assert group.isprintable()
    assert group != group_id(stream + "x", document)


def test_up_to_a_hundred_documents_share_a_call(publisher: EventBridgePublisher, ordered: OrderedBusServer) -> None:
    """Of two events of each of 150 documents, every first one is sent before any second one."""
    documents = [str(number) for number in range(150)]
    publisher.publish(noted_entries(*documents, *documents), forever)
    assert sorted(map(len, ordered.calls)) == [50, 50, 100, 100]
    assert sum(map(len, ordered.calls[:2])) == 150


@pytest.mark.parametrize("code", AGAIN)
@pytest.mark.parametrize("position", range(10))
def test_failed_entry_is_retried_at_any_index(
    publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str, position: int, code: str
) -> None:
    """Alone, and before any later event of its document. Each arrives once."""
    ordered.faults += [failing(code, position), failing(code, 0)]
    entries = noted_entries(*"abcdefghij", "abcdefghij"[position])
    assert publisher.publish(entries, forever) == Published()
    assert [len(call) for call in ordered.calls] == [10, 1, 1, 1]
    arrived = ids(ordered, bus)
    assert sorted(arrived) == sorted(entry.id for entry in entries)
    assert arrived.index(entries[position].id) < arrived.index(entries[10].id)


@pytest.mark.parametrize("code", [*AGAIN, "InvalidStateException"])
def test_failed_call_is_retried(
    publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str, clock: Clock, code: str
) -> None:
    """After a pause, while there is time."""
    ordered.faults += [failing_call(code)] * 4
    publisher.publish(noted_entries("a"), clock)
    assert len(ids(ordered, bus)) == 1
    assert clock.naps


def test_lost_response_causes_no_second_event(publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str) -> None:
    """The bus deduplicates the repeated call."""
    ordered.lost = 1
    publisher.publish(noted_entries("a", "b"), forever)
    assert len(ordered.calls) == 2
    assert len(ids(ordered, bus)) == 2


def test_refused_entry_is_returned_with_a_reason(publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str) -> None:
    """The others are published."""
    ordered.faults.append(failing("InvalidInputException", 1))
    entries = noted_entries("a", "b", "c")
    [refused] = publisher.publish(entries, forever).refused
    assert (refused.entry, refused.reason) == (entries[1], "InvalidInputException: fault of the test")
    assert ids(ordered, bus) == [entries[0].id, entries[2].id]


def test_missing_permission_parks_nothing(publisher: EventBridgePublisher, ordered: OrderedBusServer) -> None:
    """A person grants permissions."""
    ordered.faults.append(failing("AccessDeniedException", 0))
    with pytest.raises(Misconfigured, match="AccessDenied"):
        publisher.publish(noted_entries("a"), forever)


@pytest.mark.parametrize(
    "response",
    [{}, {"Entries": []}, {"Entries": [{}]}, {"FailedEntryCount": 0, "Entries": [{"SequenceNumber": "1"}]}],
    ids=repr,
)
def test_entry_missing_from_the_response_is_retried(response: dict[str, object], clock: Clock) -> None:
    """Until the time is up."""

    class Client:
        def put_events(self, **_: object) -> dict[str, object]:
            return response

    with pytest.raises(Unavailable):
        EventBridgePublisher(OrderedBus(Client(), "arn"), sleep=clock.sleep).publish(noted_entries("a"), clock)


def test_missing_ordered_bus_is_reported_at_the_start(eventbridgev2: Any, bus: str) -> None:
    OrderedBus(eventbridgev2, bus).check()
    with pytest.raises(Misconfigured, match=r"^FORWARDER_EVENT_BUS: ordered bus .* cannot be used: .*ResourceNotFound"):
        OrderedBus(eventbridgev2, bus[:-1] + "-").check()


@pytest.mark.parametrize(
    ("state", "fine"), [("ACTIVE", True), ("UPDATE_FAILED", True), ("CREATING", False), ("DELETING", False)]
)
def test_ordered_bus_that_is_not_active_is_reported_at_the_start(
    eventbridgev2: Any, ordered: OrderedBusServer, bus: str, state: str, *, fine: bool
) -> None:
    ordered.events.set_state(bus, state)
    if fine:
        OrderedBus(eventbridgev2, bus).check()
        return
    with pytest.raises(Misconfigured, match=state):
        OrderedBus(eventbridgev2, bus).check()


def test_too_large_and_unreadable_entries_are_refused(publisher: EventBridgePublisher, bus: str) -> None:
    """As for the classic bus."""
    entries: list[Entry] = [noted("a", 1, text="x" * 1_048_576), noted("b", 2, number=2**63)]
    assert [no.entry for no in publisher.publish(entries, forever).refused] == entries
