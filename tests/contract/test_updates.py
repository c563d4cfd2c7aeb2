"""An update is applied as the server did, or not at all; whatever it holds, it takes no more than documents can need."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.paths import at
from contract.updates import DEPTH_LIMIT, ELEMENTS_LIMIT, PADDING_LIMIT, Ambiguous, applied

ORDER = {"_id": 1, "address": {"city": "Berlin", "lines": ["a", "b"]}, "items": [{"sku": "x", "0": "zero"}, 7], "note": None}


def update(
    updated: dict[str, Any] | None = None, removed: tuple[str, ...] = (), truncated: tuple[tuple[str, int], ...] = ()
) -> Any:
    arrays = [{"field": field, "newSize": size} for field, size in truncated]
    return applied(ORDER, updated=updated or {}, removed=removed, truncated=arrays)


def test_an_update_is_applied_where_its_paths_lead() -> None:
    """Fields and elements are set, removed and cut; the document before stays as it was."""
    after = update({"address.city": "Bonn", "items.0.sku": "y", "new": 1}, ("note",), (("address.lines", 1),))
    assert after == {
        "_id": 1,
        "address": {"city": "Bonn", "lines": ["a"]},
        "items": [{"sku": "y", "0": "zero"}, 7],
        "new": 1,
    }
    assert ORDER["note"] is None
    assert at(ORDER, "address.lines") == ["a", "b"]


def test_what_the_path_leads_through_is_made() -> None:
    """Missing objects are made, and an array is filled with null up to an element beyond its end, as MongoDB does."""
    assert at(update({"deep.er.still": 1}), "deep") == {"er": {"still": 1}}
    assert at(update({"items.3": 8}), "items") == [{"sku": "x", "0": "zero"}, 7, None, 8]


def test_an_array_is_cut_before_it_grows() -> None:
    """As the server describes an array that was replaced by another: its new length, then its new elements."""
    assert at(update({"items.1": "b"}, truncated=(("items", 1),)), "items") == [{"sku": "x", "0": "zero"}, "b"]


@pytest.mark.parametrize(
    "told",
    [
        {"updated": {"note.deep": 1}},
        {"updated": {"items.x": 1}},
        {"updated": {"items.99999999": 1}},
        {"removed": ("items.0",)},
        {"removed": ("nowhere.deep",)},
        {"truncated": (("address", 1),)},
    ],
)
def test_an_update_that_does_not_fit_is_ambiguous(told: dict[str, Any]) -> None:
    """It is not bent until it fits."""
    with pytest.raises(Ambiguous):
        update(**told)


def test_a_name_with_a_dot_is_ambiguous() -> None:
    """``a.b`` may be the field b of a, or a field of that name."""
    with pytest.raises(Ambiguous):
        applied({"a.b": 1}, updated={"a.b": 2}, removed=(), truncated=())
    assert applied({"a.b": 1}, updated={"a": 2}, removed=(), truncated=()) == {"a.b": 1, "a": 2}


names = st.sampled_from(["a", "b", "0", "1", "4", "a.b"])
values = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=15,
)
documents = st.dictionaries(names, values, max_size=4)
paths = st.lists(names, min_size=1, max_size=4).map(".".join)


def outcome(before: dict[str, Any], *steps: dict[str, Any]) -> str:
    """The document after the steps, as text with its keys in their order; or that it is ambiguous."""
    try:
        for step in steps:
            before = applied(before, **({"updated": {}, "removed": (), "truncated": ()} | step))
    except Ambiguous:
        return "ambiguous"
    return json.dumps(before)


@given(documents, st.dictionaries(paths, values, max_size=4), st.lists(paths, max_size=2))
def test_all_paths_at_once_are_as_one_after_the_other(
    before: dict[str, Any], updated: dict[str, Any], removed: list[str]
) -> None:
    """What a path writes into is the document's own by then: neither the one before nor a value of the update."""
    told = json.dumps([before, updated])
    one_by_one = [{"removed": [path]} for path in removed] + [{"updated": {path: new}} for path, new in updated.items()]
    assert outcome(before, {"updated": updated, "removed": removed}) == outcome(before, *one_by_one)
    assert json.dumps([before, updated]) == told


def test_a_large_array_is_copied_once_however_many_elements_are_set() -> None:
    """Copied for each of them this would take an hour; so would the names of a large object, looked through for each."""
    size, many = 1_000_000, 50_000
    before: dict[str, Any] = {"a": [0] * size, "o": {f"{number}": {} for number in range(many)}, "x.y": 0}
    set_elements = {f"a.{number}": 1 for number in range(many)} | {f"o.{number}.b": 1 for number in range(many)}
    after = applied(before, updated=set_elements, removed=[f"o.{n}" for n in range(0, many, 2)], truncated=())
    assert sum(after["a"]) == many
    assert list(after["o"].items())[many // 2 - 1] == (f"{many - 1}", {"b": 1})
    assert sum(before["a"]) == 0


def test_an_array_may_be_filled_as_far_as_the_server_would() -> None:
    """With null, to the element."""
    after = applied({"a": []}, updated={f"a.{PADDING_LIMIT}": 1}, removed=(), truncated=())
    assert (len(after["a"]), after["a"][-2:]) == (PADDING_LIMIT + 1, [None, 1])


ARRAYS = {"a": [[] for _ in range(100)], "long": [0] * 100_000}


@pytest.mark.parametrize(
    "told",
    [
        {"updated": {f"a.{number}.{PADDING_LIMIT}": 0 for number in range(100)}},
        {"truncated": [{"field": "long", "newSize": 100_000}] * (ELEMENTS_LIMIT // 100_000 + 1)},
        {"updated": {f"{number}{'.a' * (DEPTH_LIMIT - 1)}": 0 for number in range(10_000)}},
        {"updated": {".".join("a" * 1_000_000): 0}},
        {"updated": {f"new{'.a' * DEPTH_LIMIT}": 0}},
    ],
    ids=["filling", "shortening", "making", "depth", "a step too deep"],
)
def test_an_update_that_no_server_makes_is_refused_before_it_fills_the_memory(told: dict[str, Any]) -> None:
    """A few bytes each, but more elements or levels than documents of 16 MB can hold."""
    assert outcome(ARRAYS, told) == "ambiguous"
