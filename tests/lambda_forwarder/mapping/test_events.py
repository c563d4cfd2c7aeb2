"""Which events the changes of a message become, and which changes are parked."""

import re
from typing import Any

import msgspec
import pytest

from examples.payments.events import MAPPERS
from lambda_forwarder.mapping.events import map_changes
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


def parked_change(parked: Parked) -> Change:
    """Read the change of a parked item as the queue's reader does."""
    [change] = unpack(bytes(parked.message).decode()).changes
    return change


def test_events_keep_the_order_of_their_changes() -> None:
    entries, parked = map_changes(message(inserted(), cancelled()), MAPPERS)
    assert [entry.detail_type for entry in entries] == ["PaymentCreated", "PaymentCancelled"]
    assert parked == []


def test_change_without_mappers_becomes_no_event() -> None:
    """Changes of other collections and of a whole database."""
    elsewhere = msgspec.structs.replace(inserted(), ns=Namespace(db="payments", coll="audit"))
    dropped = Change(
        id="82", sequence=3, operation_type="dropDatabase", ns=Namespace(db="payments"), cluster_time="1795330680.1"
    )
    assert map_changes(message(elsewhere, dropped), MAPPERS) == ([], [])


def test_full_namespace_wins_over_a_collection_name() -> None:
    """Two databases may have collections of the same name with different events."""
    table = {"payments": (broken,), "payments.payments": (note,)}
    entries, parked = map_changes(message(inserted()), table)
    assert [entry.detail_type for entry in entries] == ["Noted"]
    assert parked == []


def test_events_of_one_change_have_distinct_ids() -> None:
    """By the position among events of the same type."""
    first, second = map_changes(message(inserted()), {"payments": (notes,)})[0]
    assert first.id != second.id


def test_source_setting_replaces_the_source_of_every_event() -> None:
    entries, _ = map_changes(message(inserted(), cancelled()), MAPPERS, source="app.staging")
    assert {entry.source for entry in entries} == {"app.staging"}


def test_change_that_fails_a_mapper_is_parked_and_the_rest_is_mapped() -> None:
    """The parked item has the mapper, the reason and the change. Other mappers of the same change are called."""
    one, two = inserted(sequence=1), inserted("another", sequence=2)
    entries, parked = map_changes(message(one, two), {"payments": (broken, note)})
    assert [entry.change for entry in entries] == [one, two]
    assert [parked_change(item) for item in parked] == [one, two]
    assert parked[0].mapper.endswith("test_events.broken")
    assert parked[0].reason.startswith("KeyError: ")
    assert (parked[0].stream, parked[0].generation, parked[0].sequence) == ("payments", 1, 1)


@pytest.mark.parametrize(
    "returned", ["", "PaymentCreated", b"", {}, {"payment_id": "1"}, False, 0, [None], ["x"], [{}]], ids=repr
)
def test_change_whose_mapper_returns_no_event_is_parked(returned: Any) -> None:
    """Nothing but None, and a list without events, means that there is no event."""
    entries, [parked] = map_changes(message(inserted()), {"payments": (lambda change: returned,)})
    assert entries == []
    assert "a mapper returns a DomainEvent, a list of them or None, not" in parked.reason


@pytest.mark.parametrize("returned", [None, [], ()], ids=repr)
def test_mapper_may_return_no_event(returned: Any) -> None:
    assert map_changes(message(inserted()), {"payments": (lambda change: returned,)}) == ([], [])


def test_parked_change_says_where_its_mapper_failed() -> None:
    """The innermost frames: files, lines and functions, without values and absolute paths."""
    _, [parked] = map_changes(message(inserted()), {"payments": (broken,)})
    assert len(parked.stack) <= 5
    assert re.fullmatch(r"mapping/test_events\.py:\d+ broken", parked.stack[-1])
    assert parked.stack[0].startswith("mapping/events.py:")


def test_gap_becomes_an_event_whatever_the_table() -> None:
    """Missing history concerns the consumers of every event. Mappers never receive it."""
    entries, parked = map_changes(message(gap()), {"payments": (broken,)}, source="app.staging")
    assert [(entry.detail_type, entry.source) for entry in entries] == [("StreamGapDetected", "app.staging")]
    assert parked == []


def test_unreadable_gap_is_parked() -> None:
    odd = msgspec.structs.replace(gap(), full_document={"stream": "payments"})
    entries, [parked] = map_changes(message(odd), MAPPERS)
    assert (entries, parked_change(parked)) == ([], odd)


def test_claimed_change_is_parked_with_its_claim() -> None:
    """The fetched documents would not fit."""
    light, _ = claiming(inserted(subscriptionId=7))
    whole = msgspec.structs.replace(inserted(subscriptionId=7), claim=light.claim)
    _, [parked] = map_changes(message(whole), MAPPERS)
    assert parked_change(parked) == light


def test_document_without_required_fields_is_parked() -> None:
    odd = inserted(subscriptionId=None)
    entries, [parked] = map_changes(message(odd, inserted("another", sequence=2)), MAPPERS)
    assert parked.reason == "ValidationError: Expected `str`, got `null` - at `$.subscriptionId`"
    assert [entry.detail_type for entry in entries] == ["PaymentCreated"]


def test_second_mapper_of_an_event_is_parked() -> None:
    """Both events would have the same id."""
    entries, [parked] = map_changes(message(inserted()), {"payments": (note, notes)})
    assert len(entries) == 1
    assert "an event has one mapper" in parked.reason
