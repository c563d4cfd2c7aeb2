"""An event, and the entry that is put on the bus."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_forwarder.model.entry import entry
from tailrace.events import DomainEvent, EventType
from tests.lambda_forwarder.values import Noted, cancelled, inserted, message, noted


class Renamed(DomainEvent, source="app.tests", version="2"):
    """An event with a version above one."""

    some_field: str


def detail(event: DomainEvent, **options: Any) -> dict[str, Any]:
    change = cancelled()
    decoded: dict[str, Any] = msgspec.json.decode(entry(event, change=change, message=message(change), **options).detail)
    return decoded


def test_event_is_named_by_its_class() -> None:
    """Source, detail-type and version come from the class statement. Fields are camelCase on the bus."""
    change = cancelled()
    wrapped = entry(Renamed(some_field="x"), change=change, message=message(change))
    assert (wrapped.source, wrapped.detail_type) == ("app.tests", "Renamed")
    assert msgspec.json.decode(wrapped.detail)["metadata"]["version"] == "2"
    assert msgspec.json.decode(wrapped.detail)["data"] == {"someField": "x"}


def test_metadata_describes_the_change() -> None:
    metadata = detail(Noted())["metadata"]
    assert UUID(metadata.pop("id")).version == 5
    assert metadata == {
        "version": "1",
        "stream": "payments",
        "generation": 1,
        "sequence": 2,
        "document": "payments.payments/65f2a1c09b1e8a5d4c3b2a19",
        "operation": "update",
        "occurredAt": "2026-11-22T07:01:30.456000Z",
    }


def test_event_time_is_the_commit_time() -> None:
    change = cancelled()
    wrapped = entry(Noted(), change=change, message=message(change))
    assert wrapped.time == datetime(2026, 11, 22, 7, 1, 30, 456000, tzinfo=UTC)


def test_time_without_an_offset_is_never_published() -> None:
    change = msgspec.structs.replace(cancelled(), wall_time="2026-11-22T07:01:30.456")
    with pytest.raises(ValueError, match="has no UTC offset"):
        entry(Noted(), change=change, message=message(change))


def test_source_setting_replaces_the_events_source() -> None:
    change = cancelled()
    assert entry(Noted(), change=change, message=message(change), source="app.other").source == "app.other"


@given(st.text(), st.integers(0, 3))
def test_repeated_event_has_the_same_bytes_and_id(change_id: str, position: int) -> None:
    change = msgspec.structs.replace(inserted(), id=change_id)
    twice = [entry(Noted(), change=change, message=message(change), position=position) for _ in range(2)]
    assert twice[0] == twice[1]


def test_event_id_depends_on_change_type_and_position() -> None:
    one, two = inserted(sequence=1), inserted(sequence=2)
    ids = {
        entry(event, change=change, message=message(change), position=position).id
        for event in (Noted(), Renamed(some_field=""))
        for change in (one, two)
        for position in (0, 1)
    }
    assert len(ids) == 8


def test_event_ids_never_change() -> None:
    """Consumers remember ids. This id was published by the first version."""
    assert noted("65f2a1c09b1e8a5d4c3b2a19", 1).id == "7f64893c-f986-5db9-b60c-02b9d25c8bdf"


def test_event_with_a_wrong_type_is_not_published() -> None:
    """The error names the field and not the value."""
    with pytest.raises(msgspec.ValidationError, match=r"Expected `str`, got `int` - at `\$.text`"):
        detail(Noted(text=4711))  # type: ignore[arg-type]


def test_mapper_result_that_is_no_event_is_an_error() -> None:
    with pytest.raises(TypeError, match="DomainEvent"):
        detail({"text": ""})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statement", "remedy"),
    [
        ({"namespace": {}, "source": "app.tests"}, "docstring"),
        ({"namespace": {"__doc__": "It happened."}}, "source"),
        ({"namespace": {"__doc__": "It happened."}, "source": "aws.tests"}, "source"),
        ({"namespace": {"__doc__": "It happened."}, "source": "app.tests", "name": "X" * 129}, "128"),
        ({"namespace": {"__doc__": "It happened."}, "source": "app.tests", "about": "key"}, "not a field of this class"),
    ],
)
def test_event_class_that_no_bus_accepts_cannot_be_declared(statement: dict[str, Any], remedy: str) -> None:
    """No description, no or a reserved source, a long name, an unknown field."""
    options = {name: statement[name] for name in ("source", "about") if name in statement}
    namespace = statement["namespace"] | {"__module__": __name__}
    with pytest.raises(TypeError, match=remedy):
        EventType(statement.get("name", "Happened"), (DomainEvent,), namespace, **options)
