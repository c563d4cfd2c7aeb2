"""Dotted paths: reading, comparing, and applying an update as the server did."""

from typing import Any

import pytest

from contract.paths import ABSENT, Ambiguous, applied, at, same

ORDER = {"_id": 1, "address": {"city": "Berlin", "lines": ["a", "b"]}, "items": [{"sku": "x", "0": "zero"}, 7], "note": None}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("address.city", "Berlin"),
        ("address.lines.1", "b"),
        ("items.0.sku", "x"),
        ("items.0.0", "zero"),
        ("note", None),
        ("", ORDER),
        ("address.zip", ABSENT),
        ("address.lines.2", ABSENT),
        ("items.sku", ABSENT),
        ("items.1.sku", ABSENT),
        ("items.-1", ABSENT),
        ("note.deep", ABSENT),
        (f"items.{'9' * 5000}", ABSENT),
    ],
)
def test_a_path_leads_through_names_and_indexes(path: str, value: Any) -> None:
    """To the value or to nothing, never to an error; null is a value."""
    assert at(ORDER, path) is value if value is ABSENT else at(ORDER, path) == value


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        ({"a": 1, "b": [None]}, {"b": [None], "a": 1}, True),
        ({"a": None}, {}, False),
        ([1, 2], [2, 1], False),
        ([1], [1, 2], False),
        ("1", 1, False),
        (None, ABSENT, False),
    ],
)
def test_values_are_the_same_when_mongodb_says_so(one: Any, other: Any, equal: bool) -> None:
    """Python's own equality takes true for 1."""
    assert same(one, other) is same(other, one) is equal


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
