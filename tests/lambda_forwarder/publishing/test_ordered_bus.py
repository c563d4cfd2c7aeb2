"""The ordered bus's own ways, on the stand-in, with the real client."""

from typing import Any

import pytest

from devstack.ordered_bus import OrderedBusServer, failing, failing_call
from lambda_forwarder.errors import Misconfigured, Unavailable
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Published
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.publishing.ordered_bus import OrderedBus, group_id, is_ordered
from tailrace.wire.identity import lane
from tests.lambda_forwarder.publishing.test_eventbridge import Clock
from tests.lambda_forwarder.values import forever, noted, noteds
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


def test_an_arn_tells_the_kind_of_bus() -> None:
    """Names and classic ARNs are of classic buses."""
    assert is_ordered("arn:aws:events:eu-west-1:123456789012:event-busv2/payments/0123456789abcdefghijklmno")
    assert not is_ordered("arn:aws:events:eu-west-1:123456789012:event-bus/payments")
    assert not is_ordered("payments")


def test_a_document_has_a_group_and_the_id_drops_repeats(
    publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str
) -> None:
    """As the bus was told, with everything that a classic event has."""
    entry = noted("a", 1, text="x")
    publisher.publish([entry], forever)
    [[sent]] = ordered.calls
    assert sent["SystemMetadata"] == {"EventGroupId": group_id("payments", "payments.payments/a"), "DeduplicationId": entry.id}
    assert (sent["Source"], sent["DetailType"], sent["Time"]) == ("app.tests", "Noted", entry.time)
    assert sent["Detail"].encode() == entry.detail


def test_a_repeat_is_counted_and_kept_once(publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str) -> None:
    """The bus says DEDUPLICATED."""
    assert publisher.publish(noteds("a", "b"), forever) == Published()
    assert publisher.publish(noteds("a", "b", "c"), forever) == Published(deduplicated=2)
    assert len(ids(ordered, bus)) == 3


def test_groups_are_bounded_and_are_the_lanes_of_the_default() -> None:
    """However many documents there are; each stream has its own."""
    groups = {group_id("payments", f"payments.payments/{number}") for number in range(5_000)}
    assert groups == {f"payments.{number}" for number in range(128)}
    change = a_change(document_key={"_id": "a"})
    assert group_id("payments", change.document) == f"payments.{lane(change.document, 128)}"
    assert group_id("refunds", "payments.payments/a") != group_id("payments", "payments.payments/a")


@pytest.mark.parametrize("stream", ["x" * 80, "dynamodb." + "x" * 255, "ä", "a\nb", "\ud800"])
@pytest.mark.parametrize("document", ["x" * 9_000, "ä", "a\nb", "\ud800", ""])
def test_any_stream_and_document_make_a_group(stream: str, document: str) -> None:
    """Within the service's limit and characters; another stream has another."""
    group = group_id(stream, document)
    assert 0 < len(group) <= 128
    assert group.isascii()
    assert group.isprintable()
    assert group != group_id(stream + "x", document)


def test_a_hundred_documents_share_a_call(publisher: EventBridgePublisher, ordered: OrderedBusServer) -> None:
    """Two events of each of 150: all the first ones before any of the second."""
    documents = [str(number) for number in range(150)]
    publisher.publish(noteds(*documents, *documents), forever)
    assert sorted(map(len, ordered.calls)) == [50, 50, 100, 100]
    assert sum(map(len, ordered.calls[:2])) == 150


@pytest.mark.parametrize("code", AGAIN)
@pytest.mark.parametrize("position", range(10))
def test_a_failed_entry_goes_again_wherever_it_stands(
    publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str, position: int, code: str
) -> None:
    """It alone, and no later event of its document before it; each arrives once."""
    ordered.faults += [failing(code, position), failing(code, 0)]
    entries = noteds(*"abcdefghij", "abcdefghij"[position])
    assert publisher.publish(entries, forever) == Published()
    assert [len(call) for call in ordered.calls] == [10, 1, 1, 1]
    arrived = ids(ordered, bus)
    assert sorted(arrived) == sorted(entry.id for entry in entries)
    assert arrived.index(entries[position].id) < arrived.index(entries[10].id)


@pytest.mark.parametrize("code", [*AGAIN, "InvalidStateException"])
def test_a_call_that_was_not_taken_is_made_again(
    publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str, clock: Clock, code: str
) -> None:
    """After a pause, while there is time."""
    ordered.faults += [failing_call(code)] * 4
    publisher.publish(noteds("a"), clock)
    assert len(ids(ordered, bus)) == 1
    assert clock.naps


def test_an_response_that_was_lost_makes_no_second_event(
    publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str
) -> None:
    """The call was applied; made again, the bus knows all of it."""
    ordered.lost = 1
    publisher.publish(noteds("a", "b"), forever)
    assert len(ordered.calls) == 2
    assert len(ids(ordered, bus)) == 2


def test_an_entry_refused_for_good_comes_back(publisher: EventBridgePublisher, ordered: OrderedBusServer, bus: str) -> None:
    """With the bus's words; the others are published."""
    ordered.faults.append(failing("InvalidInputException", 1))
    entries = noteds("a", "b", "c")
    [refused] = publisher.publish(entries, forever).refused
    assert (refused.entry, refused.reason) == (entries[1], "InvalidInputException: fault of the test")
    assert ids(ordered, bus) == [entries[0].id, entries[2].id]


def test_an_response_about_us_parks_nothing(publisher: EventBridgePublisher, ordered: OrderedBusServer) -> None:
    """A permission is a person's to mend."""
    ordered.faults.append(failing("AccessDeniedException", 0))
    with pytest.raises(Misconfigured, match="AccessDenied"):
        publisher.publish(noteds("a"), forever)


@pytest.mark.parametrize(
    "response",
    [{}, {"Entries": []}, {"Entries": [{}]}, {"FailedEntryCount": 0, "Entries": [{"SequenceNumber": "1"}]}],
    ids=repr,
)
def test_what_was_not_answered_was_not_accepted(response: dict[str, object], clock: Clock) -> None:
    """An answer without a word about an entry is none: it is asked again, until the time is up."""

    class Client:
        def put_events(self, **_: object) -> dict[str, object]:
            return response

    with pytest.raises(Unavailable):
        EventBridgePublisher(OrderedBus(Client(), "arn"), sleep=clock.sleep).publish(noteds("a"), clock)


def test_a_missing_bus_is_told_at_the_start(eventbridgev2: Any, bus: str) -> None:
    """By the setting's name."""
    OrderedBus(eventbridgev2, bus).check()
    with pytest.raises(Misconfigured, match=r"^FORWARDER_EVENT_BUS: ordered bus .* cannot be used: .*ResourceNotFound"):
        OrderedBus(eventbridgev2, bus[:-1] + "-").check()


@pytest.mark.parametrize(
    ("state", "fine"), [("ACTIVE", True), ("UPDATE_FAILED", True), ("CREATING", False), ("DELETING", False)]
)
def test_a_bus_that_takes_no_events_is_told(
    eventbridgev2: Any, ordered: OrderedBusServer, bus: str, state: str, *, fine: bool
) -> None:
    """By its state."""
    ordered.events.set_state(bus, state)
    if fine:
        OrderedBus(eventbridgev2, bus).check()
        return
    with pytest.raises(Misconfigured, match=state):
        OrderedBus(eventbridgev2, bus).check()


def test_too_large_and_unreadable_entries_are_refused_here(publisher: EventBridgePublisher, bus: str) -> None:
    """As for the classic bus."""
    entries: list[Entry] = [noted("a", 1, text="x" * 1_048_576), noted("b", 2, number=2**63)]
    assert [no.entry for no in publisher.publish(entries, forever).refused] == entries
