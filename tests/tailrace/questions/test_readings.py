"""Each dotted path of an update resolves to one place in the document, or to none when it is ambiguous."""

from typing import Any

import pytest

from tailrace.questions.paths import Names
from tailrace.questions.readings import LOOKUPS_LIMIT, writes
from tailrace.wire.change import UpdateDescription

NESTED = {"a": {"b": 1}}
BESIDE = {"a.b": 1}
BOTH = NESTED | BESIDE


def places(
    before: dict[str, Any] | None,
    *updated: str,
    removed: tuple[str, ...] = (),
    cut: tuple[tuple[str, int], ...] = (),
    said: dict[str, list[str | int]] | None = None,
) -> list[Names | None]:
    described = UpdateDescription(
        updated_fields=dict.fromkeys(updated, 0),
        removed_fields=list(removed),
        truncated_arrays=[{"field": field, "newSize": size} for field, size in cut],
        disambiguated_paths=said,
    )
    return [write.names for write in writes(described, before)]


SET: list[tuple[str, dict[str, Any] | None, Names | None]] = [
    ("a", None, ("a",)),
    ("", None, ("",)),
    ("0", {}, ("0",)),
    ("$x", None, ("$x",)),
    ("a.b", None, None),
    ("a.b", {}, ("a.b",)),
    ("a.b", {"a": 1}, ("a.b",)),
    ("a.b", {"a": ["x"]}, ("a.b",)),
    ("a.b", BESIDE, ("a.b",)),
    ("a.b", NESTED, None),
    ("a.b", {"a": {}}, None),
    ("a.b", BOTH, None),
    ("a.0", {"a": [1]}, None),
    ("a.00", {"a": [1]}, ("a.00",)),
    ("a.", {"b": {}}, ("a.",)),
    (".b", {"": {}}, None),
    ("a.b.c", {"a": {"x": {}}}, None),
    ("a.b.c", {"x": {}}, ("a.b.c",)),
    ("a.b.c", {"a.b": 1}, ("a.b.c",)),
    ("a.b.c", {"a.b": {}}, None),
]


@pytest.mark.parametrize(("path", "before", "place"), SET)
def test_set_path_has_a_place_when_it_has_one_reading(path: str, before: dict[str, Any] | None, place: Names | None) -> None:
    """A new field may have any name. A nested field can only be set in an object or an array."""
    assert places(before, path) == [place]


@pytest.mark.parametrize(
    ("path", "before", "place"),
    [
        ("a.b", NESTED, ("a", "b")),
        ("a.b", BESIDE, ("a.b",)),
        ("a.b", BOTH, None),
        ("a.b", {"a": {}}, None),
        ("a.0", {"a": [1]}, None),
        ("a.0.b", {"a": [{"b": 1}]}, ("a", 0, "b")),
        ("a.0.b", {"a": {"0": {"b": 1}}}, ("a", "0", "b")),
    ],
)
def test_removed_path_has_the_place_that_existed(path: str, before: dict[str, Any], place: Names | None) -> None:
    """Only existing fields can be removed, and never an element of an array."""
    assert places(before, removed=(path,)) == [place]


@pytest.mark.parametrize(
    ("path", "before", "place"),
    [
        ("a.b", {"a": {"b": [1, 2]}, "a.b": 1}, ("a", "b")),
        ("a.b", {"a": {"b": [1]}, "a.b": [1, 2]}, ("a.b",)),
        ("a.b", {"a": {"b": [1, 2]}, "a.b": [1, 2]}, None),
    ],
)
def test_truncated_array_existed_and_was_longer(path: str, before: dict[str, Any], place: Names | None) -> None:
    assert places(before, cut=((path, 2),)) == [place]


def test_place_of_one_path_is_excluded_for_another() -> None:
    """A server describes no place twice, and nothing within a field that it describes as a whole."""
    assert places(NESTED, "a", "a.b") == [("a",), ("a.b",)]
    assert places(NESTED, "a.b", removed=("a",)) == [("a",), ("a.b",)]
    assert places(NESTED, "a.b", removed=("a.b",)) == [("a", "b"), ("a.b",)]
    assert places({"a": [1, 2, 3]}, "a.0", cut=(("a", 2),)) == [("a",), None]
    assert sorted(map(str, places(BOTH, removed=("a.b", "a.b")))) == ["('a', 'b')", "('a.b',)"]


def test_disambiguated_paths_give_the_names_of_a_path() -> None:
    """
    Once the server disambiguates any path, a path that it does not mention is split at its dots, and a number is an index.
    """
    assert places(NESTED, "a.b", said={"a.b": ["a.b"]}) == [("a.b",)]
    assert places(None, "a.b", "a.0", said={}) == [("a", "b"), ("a", 0)]
    assert places(None, "a.0", said={"a.0": ["a", "0"]}) == [("a", "0")]
    assert places(None, "a.b", said={"a.b": ["a", "c"]}) == [None]


def test_disambiguated_path_is_ignored_when_two_paths_share_it() -> None:
    """The server reports one entry for both."""
    assert places(None, "a.b", removed=("a.b",), said={"a.b": ["a.b"]}) == [None, None]
    assert places(NESTED, "a.b", removed=("a.b",), said={"a.b": ["a.b"]}) == [("a", "b"), ("a.b",)]


@pytest.mark.parametrize(
    "paths",
    [
        [".".join("a" * 1_000_000)],
        [f"{number}{'.a' * 199}" for number in range(LOOKUPS_LIMIT // 200)],
        ["a" + ".a" * depth for depth in range(199)] * 100,
    ],
    ids=["one", "many", "nested"],
)
def test_impossible_paths_are_read_within_bounds(paths: list[str]) -> None:
    """The number of name look-ups is limited."""
    deep: dict[str, Any] = {}
    for _ in range(150):
        deep = {"a": deep}
    told = places(deep, *paths, removed=tuple(paths))
    assert told[-1] is None


def test_fifty_thousand_plain_removed_paths_are_certain() -> None:
    before = {"o": {f"{number}": {"b": 1} for number in range(50_000)}, "x.y": 0}
    paths = tuple(f"o.{number}.b" for number in range(50_000))
    assert places(before, removed=paths)[-1] == ("o", "49999", "b")
