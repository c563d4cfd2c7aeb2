"""How a mapper declares the fields that it compares."""

from functools import partial
from typing import Any

import pytest

from tailrace import Change, Uncertain, remembers
from tailrace.events import remembered_by
from tailrace.questions.states import VALUE_LIMIT, state_after
from tailrace.wire.change import Remembered, Value
from tests.samples.changes import a_change


def mapper(change: Change, extra: int = 0) -> None:
    """Return no event."""


def test_declared_fields_are_found() -> None:
    """Also of a partial function, and of a mapper that declares none."""
    declared = remembers("status", "address.city")(partial(mapper))
    assert remembered_by(declared) == ("status", "address.city")
    assert remembered_by(partial(declared, extra=1)) == ("status", "address.city")
    assert remembered_by(mapper) == ()


@pytest.mark.parametrize(
    "paths",
    [(), ("",), ("a..b",), (".a",), ("items.0",), ("$set",), (7,), (mapper,), ("a", "a"), tuple(f"f{n}" for n in range(21))],
)
def test_declaration_of_no_field_is_refused(paths: tuple[Any, ...]) -> None:
    """When the module is imported, with the remedy."""
    with pytest.raises(TypeError, match=r"^remembers: .*(write @remembers|1 to 20 different paths)"):
        remembers(*paths)


def replaced(**fields: Any) -> Change:
    return a_change(operation_type="replace", full_document={"status": "cancelled"}, **fields)


def test_error_names_the_remedy() -> None:
    """Declare the field; wait for a change; accept a looked-up value."""
    looked_up = Remembered(was=Value(value=["created"], looked_up=True))
    for remembered, remedy in (
        ({}, r"@remembers\('status'\) and set FORWARDER_LAST_STATES"),
        ({"status": Remembered()}, "does not remember it yet"),
        ({"status": looked_up}, "assume_current=True"),
    ):
        change = replaced(remembered=remembered)
        for ask in (change.was, change.changed, partial(change.became, value="cancelled")):
            with pytest.raises(Uncertain, match=remedy):
                ask("status")
    assert replaced(remembered={"status": looked_up}).was("status", assume_current=True) == "created"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (a_change(full_document={"status": "created"}), None),
        (replaced(full_document_before_change={"status": "created"}), "created"),
        (replaced(full_document_before_change={}), None),
        (replaced(remembered={"status": Remembered(was=Value(value=["created"]))}), "created"),
        (replaced(remembered={"status": Remembered(was=Value(value=[]))}), None),
        (a_change(operation_type="delete", remembered={"status": Remembered(was=Value(value=[1]))}), 1),
        (a_change(operation_type="drop"), None),
    ],
)
def test_was_is_the_value_before_the_change(change: Change, expected: object) -> None:
    """None if the document did not have it, or did not exist."""
    assert change.was("status") == expected


def test_large_value_and_name_with_a_dot_are_not_remembered() -> None:
    document = {"large": "x" * VALUE_LIMIT, "small": "x" * 100, "a.b": 1}
    state = state_after(a_change(full_document=document), ["large", "small", "a.b", "gone"], {})
    assert state == {"small": Value(value=["x" * 100]), "gone": Value(value=[])}
