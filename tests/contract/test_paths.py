"""Dotted paths: reading and comparing."""

from typing import Any

import pytest

from contract.paths import ABSENT, at, same

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
