"""An update is applied as the server applies it, or not at all, within the memory that documents can need."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.questions.paths import ABSENT, Names
from tailrace.questions.readings import Cut, Write
from tailrace.questions.updates import ELEMENTS_LIMIT, PADDING_LIMIT, Ambiguous, applied

ORDER = {
    "_id": 1,
    "address": {"city": "Berlin", "lines": ["a", "b"]},
    "items": [{"sku": "x", "0": "zero"}, 7],
    "note": None,
    "a.b": 1,
}


def at(*names: str | int, value: Any = ABSENT) -> Write:
    return Write(".".join(map(str, names)), value, names)


def test_update_is_applied_at_its_places() -> None:
    """Fields and elements are set, removed and truncated, whatever their names. The document before is not modified."""
    before = json.dumps(ORDER)
    after = applied(
        ORDER,
        [
            at("address", "lines", value=Cut(1)),
            at("note"),
            at("address", "city", value="Bonn"),
            at("items", 0, "sku", value="y"),
            at("items", 0, "0", value="0"),
            at("a.b", value=2),
            at("address.city", value="beside"),
            at("", value="empty"),
            at("$set", value="$"),
        ],
    )
    assert after == {
        "_id": 1,
        "address": {"city": "Bonn", "lines": ["a"]},
        "items": [{"sku": "y", "0": "0"}, 7],
        "a.b": 2,
        "address.city": "beside",
        "": "empty",
        "$set": "$",
    }
    assert json.dumps(ORDER) == before


def test_array_is_padded_with_null_after_truncation() -> None:
    """As MongoDB does."""
    assert applied(ORDER, [at("items", 3, value=8)])["items"] == [{"sku": "x", "0": "zero"}, 7, None, 8]
    assert applied(ORDER, [at("items", value=Cut(1)), at("items", 1, value="b")])["items"] == [{"sku": "x", "0": "zero"}, "b"]


@pytest.mark.parametrize(
    "write",
    [
        at("note", "deep", value=1),
        at("nowhere", "deep", value=1),
        at("nowhere", "deep"),
        at("items", "x", value=1),
        at("items", "01", value=1),
        at("items", 99999999, value=1),
        at("items", 0),
        at("address", value=Cut(1)),
        Write("address.city", 1),
    ],
)
def test_update_that_does_not_fit_is_ambiguous(write: Write) -> None:
    """Neither is an update applied whose place is unknown."""
    with pytest.raises(Ambiguous):
        applied(ORDER, [write])


names = st.sampled_from(["a", "b", "0", "1", "4", "a.b", ""])
values = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=15,
)
documents = st.dictionaries(names, values, max_size=4)
places = st.lists(names | st.integers(0, 4), min_size=1, max_size=4).map(tuple)
steps = st.lists(st.tuples(places, values | st.just(ABSENT) | st.integers(0, 3).map(Cut)), max_size=5)


def outcome(before: dict[str, Any], *updates: list[Write]) -> str:
    """The document after the updates, as text with its keys in their order; or that it is ambiguous."""
    try:
        for update in updates:
            before = applied(before, update)
    except Ambiguous:
        return "ambiguous"
    return json.dumps(before)


@given(documents, steps)
def test_writes_together_equal_writes_in_sequence(before: dict[str, Any], told: list[tuple[Names, Any]]) -> None:
    """No write modifies the document before or a value of the update."""
    update = [at(*place, value=value) for place, value in told]
    was = json.dumps([before, [value for _, value in told]], default=repr)
    assert outcome(before, update) == outcome(before, *([write] for write in update))
    assert json.dumps([before, [value for _, value in told]], default=repr) == was


def test_large_array_is_copied_once_for_many_writes() -> None:
    """One copy per element would take an hour."""
    size, many = 1_000_000, 50_000
    before: dict[str, Any] = {"a": [0] * size, "o": {f"{number}": {} for number in range(many)}}
    elements = [at("a", number, value=1) for number in range(many)]
    members = [at("o", f"{number}", "b", value=1) for number in range(1, many, 2)]
    after = applied(before, [*(at("o", f"{number}") for number in range(0, many, 2)), *elements, *members])
    assert sum(after["a"]) == many
    assert list(after["o"].items())[many // 2 - 1] == (f"{many - 1}", {"b": 1})
    assert sum(before["a"]) == 0


def test_array_is_padded_up_to_the_servers_limit() -> None:
    after = applied({"a": []}, [at("a", PADDING_LIMIT, value=1)])
    assert (len(after["a"]), after["a"][-2:]) == (PADDING_LIMIT + 1, [None, 1])


ARRAYS = {"a": [[] for _ in range(100)], "long": [0] * 100_000}


@pytest.mark.parametrize(
    "told",
    [
        [at("a", number, PADDING_LIMIT, value=0) for number in range(100)],
        [at("long", value=Cut(100_000))] * (ELEMENTS_LIMIT // 100_000 + 1),
    ],
    ids=["filling", "shortening"],
)
def test_impossible_update_is_refused_before_it_fills_memory(told: list[Write]) -> None:
    """It is a few bytes, but has more elements than documents of 16 MB can hold."""
    assert outcome(ARRAYS, told) == "ambiguous"
