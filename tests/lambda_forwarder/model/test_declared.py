"""An event's JSON is validated against its class without decoding fields of any type."""

import tracemalloc
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from lambda_forwarder.model.declared import checker
from tailrace import Document, DomainEvent, Patch, Time


class Part(Struct):
    """A part of an event."""

    number: int


class Everything(DomainEvent, source="app.tests"):
    """An event with a field of every kind."""

    text: str = ""
    when: Time | None = None
    anything: Any = None
    document: Document | None = None
    patch: Patch | None = None
    things: list[Any] | None = None
    numbers: dict[str, list[int]] | None = None
    either: dict[str, Any] | list[Any] | None = None
    part: Part | None = None
    some_parts: list[Part] | None = None
    word: Literal["a", "b"] = "a"
    few: Annotated[list[int], Meta(max_length=2)] | None = None


RIGHT = {
    "text": "x",
    "when": "2026-11-22T06:58:00Z",
    "anything": {"a": [1]},
    "document": {"a": {"b": []}},
    "patch": [{"op": "remove"}],
    "things": [1, "x", {}],
    "numbers": {"a": [1]},
    "either": [],
    "part": {"number": 1},
    "someParts": [{"number": 2}],
    "word": "b",
    "few": [1],
}
WRONG: dict[str, list[Any]] = {
    "text": [1, None, []],
    "when": ["2026-11-22T06:58:00", 1],
    "document": [[], "x", 1],
    "patch": [{}, [1], [[]]],
    "things": [{}, "x"],
    "numbers": [[], {"a": {}}, {"a": ["x"]}],
    "either": [1, "x"],
    "part": [[], {"number": "x"}, {}],
    "someParts": [{}, [{"number": None}]],
    "word": ["c"],
    "few": [[1, 2, 3]],
}


def test_valid_event_passes() -> None:
    """Complete, or with every default omitted."""
    for value in (RIGHT, {}):
        checker(Everything)(msgspec.json.encode(value))
        msgspec.json.decode(msgspec.json.encode(value), type=Everything)


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG.items() for value in values])
def test_invalid_event_fails_as_if_it_were_decoded(field: str, value: Any) -> None:
    """With the same message, which names the field and not the value."""
    text = msgspec.json.encode(RIGHT | {field: value})
    with pytest.raises(msgspec.ValidationError) as whole:
        msgspec.json.decode(text, type=Everything)
    with pytest.raises(msgspec.ValidationError) as skipped:
        checker(Everything)(text)
    assert str(skipped.value).partition(" - at ")[2] == str(whole.value).partition(" - at ")[2]


class DocumentCopy(DomainEvent, source="app.tests"):
    """An event that copies a document."""

    at: datetime
    document: Document | None
    patch: Patch | None


def test_validation_of_a_large_document_takes_no_memory() -> None:
    """Decoding it would create another copy beside the change."""
    text = msgspec.json.encode({"at": "2026-11-22T06:58:00Z", "document": {"list": [[]] * 100_000}, "patch": None})
    check = checker(DocumentCopy)
    tracemalloc.start()
    try:
        check(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000
