"""Which events a message means, and what is set aside."""

import re

import msgspec

from lambda_forwarder.mapping.events import map_changes
from lambda_forwarder.mappings import MAPPERS
from lambda_forwarder.model.parked import Parked
from tailrace.change import Change
from tailrace.events import DomainEvent
from tailrace.message import unpack
from tailrace.wire.change import Namespace
from tests.lambda_forwarder.values import Noted, cancelled, claiming, gap, inserted, message


def note(change: Change) -> Noted:
    return Noted(text=change.operation_type)


def notes(change: Change) -> list[DomainEvent]:
    return [Noted(number=1), Noted(number=2)]


def broken(change: Change) -> None:
    raise KeyError(change.full_document)


def again(parked: Parked) -> Change:
    """The change that a parked item carries, read as the queue's reader would."""
    [change] = unpack(bytes(parked.message).decode()).changes
    return change


def test_events_come_in_the_order_of_their_changes() -> None:
    """A message's events keep the order of its changes."""
    entries, parked = map_changes(message(inserted(), cancelled()), MAPPERS)
    assert [entry.detail_type for entry in entries] == ["PaymentCreated", "PaymentCancelled"]
    assert parked == []


def test_a_collection_without_mappers_means_nothing() -> None:
    """Other collections' changes, and changes of a whole database, are no events."""
    elsewhere = msgspec.structs.replace(inserted(), ns=Namespace(db="payments", coll="audit"))
    dropped = Change(
        id="82", sequence=3, operation_type="dropDatabase", ns=Namespace(db="payments"), cluster_time="1795330680.1"
    )
    assert map_changes(message(elsewhere, dropped), MAPPERS) == ([], [])


def test_a_full_namespace_wins_over_a_collections_name() -> None:
    """Two databases may each have a collection of one name and their own events for it."""
    table = {"payments": (broken,), "payments.payments": (note,)}
    entries, parked = map_changes(message(inserted()), table)
    assert [entry.detail_type for entry in entries] == ["Noted"]
    assert parked == []


def test_several_events_of_one_change_have_their_own_ids() -> None:
    """Each event's position among those of its type makes its id."""
    first, second = map_changes(message(inserted()), {"payments": (notes,)})[0]
    assert first.id != second.id


def test_the_source_of_a_deployment_replaces_every_events_own() -> None:
    """FORWARDER_SOURCE reaches each entry."""
    entries, _ = map_changes(message(inserted(), cancelled()), MAPPERS, source="app.staging")
    assert {entry.source for entry in entries} == {"app.staging"}


def test_a_change_that_a_mapper_cannot_digest_is_parked_and_the_rest_goes_on() -> None:
    """The parked item says which mapper failed and why, and carries the change; other mappers and changes go on."""
    one, two = inserted(sequence=1), inserted("another", sequence=2)
    entries, parked = map_changes(message(one, two), {"payments": (broken, note)})
    assert [entry.change for entry in entries] == [one, two]
    assert [again(item) for item in parked] == [one, two]
    assert parked[0].mapper.endswith("test_events.broken")
    assert parked[0].reason.startswith("KeyError: ")
    assert (parked[0].stream, parked[0].generation, parked[0].sequence) == ("payments", 1, 1)


def test_a_parked_change_says_where_its_mapper_failed() -> None:
    """The innermost frames: files, lines and functions, no values and no folders of a machine."""
    _, [parked] = map_changes(message(inserted()), {"payments": (broken,)})
    assert len(parked.stack) <= 5
    assert re.fullmatch(r"mapping/test_events\.py:\d+ broken", parked.stack[-1])
    assert parked.stack[0].startswith("mapping/events.py:")


def test_a_gap_is_told_whatever_the_table() -> None:
    """History that is missing concerns the consumers of every event; a team's own mappers never see it."""
    entries, parked = map_changes(message(gap()), {"payments": (broken,)}, source="app.staging")
    assert [(entry.detail_type, entry.source) for entry in entries] == [("StreamGapDetected", "app.staging")]
    assert parked == []


def test_a_gap_that_cannot_be_read_is_parked() -> None:
    """It is not passed over in silence either."""
    odd = msgspec.structs.replace(gap(), full_document={"stream": "payments"})
    entries, [parked] = map_changes(message(odd), MAPPERS)
    assert (entries, again(parked)) == ([], odd)


def test_a_claimed_change_is_parked_with_its_claim() -> None:
    """Not with the documents that were fetched for it: they would not fit, and the claim leads to them."""
    light, _ = claiming(inserted(subscriptionId=7))
    whole = msgspec.structs.replace(inserted(subscriptionId=7), claim=light.claim)
    _, [parked] = map_changes(message(whole), MAPPERS)
    assert again(parked) == light


def test_a_document_without_its_fields_is_parked() -> None:
    """A payment without a subscription cannot become an event; it does not stop the others."""
    odd = inserted(subscriptionId=None)
    entries, [parked] = map_changes(message(odd, inserted("another", sequence=2)), MAPPERS)
    assert parked.reason == "ValidationError: Expected `str`, got `null` - at `$.subscriptionId`"
    assert [entry.detail_type for entry in entries] == ["PaymentCreated"]


def test_an_event_has_one_mapper() -> None:
    """Two mappers telling the same event of a change would give both one id; the second is parked instead."""
    entries, [parked] = map_changes(message(inserted()), {"payments": (note, notes)})
    assert len(entries) == 1
    assert "an event has one mapper" in parked.reason
