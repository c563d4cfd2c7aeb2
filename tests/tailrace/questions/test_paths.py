"""Dotted paths are found and compared as MongoDB does."""

from typing import Any

import pytest

from tailrace.questions.paths import ABSENT, Names, found, same, text

ORDER = {
    "_id": 1,
    "address": {"city": "Berlin", "lines": ["a", "b"]},
    "items": [{"sku": "x", "0": "zero"}, 7],
    "note": None,
    "": "empty",
    "$set": {"$x": 1},
    "a": {"b": 1, "b.c": 3, "": 4},
    "a.b": 2,
    "x.y": 5,
    ".": 6,
}


@pytest.mark.parametrize(
    ("path", "places"),
    [
        ("address.city", {("address", "city"): "Berlin"}),
        ("address.lines.1", {("address", "lines", 1): "b"}),
        ("items.0.sku", {("items", 0, "sku"): "x"}),
        ("items.0.0", {("items", 0, "0"): "zero"}),
        ("note", {("note",): None}),
        ("", {("",): "empty"}),
        ("$set.$x", {("$set", "$x"): 1}),
        ("a.b", {("a", "b"): 1, ("a.b",): 2}),
        ("a.b.c", {("a", "b.c"): 3}),
        ("a.", {("a", ""): 4}),
        ("x.y", {("x.y",): 5}),
        (".", {(".",): 6}),
        ("address.zip", {}),
        ("address.lines.2", {}),
        ("address.lines.01", {}),
        ("address.lines.\u0661", {}),
        ("items.sku", {}),
        ("items.1.sku", {}),
        ("items.-1", {}),
        ("note.deep", {}),
        (f"items.{'9' * 5000}", {}),
        (".".join("a" * 100_000), {}),
    ],
)
def test_path_finds_every_field_with_that_spelling(path: str, places: dict[Names, Any]) -> None:
    """Names may hold dots, numbers may be indexes, and null is a value."""
    assert found(ORDER, path) == places
    assert all(text(names) == path for names in places)


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
def test_values_are_equal_as_in_mongodb(one: Any, other: Any, equal: bool) -> None:
    """Python's own equality takes true for 1."""
    assert same(one, other) is same(other, one) is equal
