"""What the dotted paths of an update mean, in a document: one place, or not known."""

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
def test_a_set_path_has_a_place_where_it_has_one_reading(path: str, before: dict[str, Any] | None, place: Names | None) -> None:
    """A new field may have any name; within a field it is set only where that field is an object or an array."""
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
def test_a_removed_path_has_the_place_that_was_there(path: str, before: dict[str, Any], place: Names | None) -> None:
    """Only what is there can be removed; an element of an array never is."""
    assert places(before, removed=(path,)) == [place]


@pytest.mark.parametrize(
    ("path", "before", "place"),
    [
        ("a.b", {"a": {"b": [1, 2]}, "a.b": 1}, ("a", "b")),
        ("a.b", {"a": {"b": [1]}, "a.b": [1, 2]}, ("a.b",)),
        ("a.b", {"a": {"b": [1, 2]}, "a.b": [1, 2]}, None),
    ],
)
def test_a_shortened_array_was_there_and_longer(path: str, before: dict[str, Any], place: Names | None) -> None:
    """An array of that size at least."""
    assert places(before, cut=((path, 2),)) == [place]


def test_what_one_path_means_leaves_less_for_another() -> None:
    """A server describes no place twice, and nothing within a field that it describes as a whole."""
    assert places(NESTED, "a", "a.b") == [("a",), ("a.b",)]
    assert places(NESTED, "a.b", removed=("a",)) == [("a",), ("a.b",)]
    assert places(NESTED, "a.b", removed=("a.b",)) == [("a", "b"), ("a.b",)]
    assert places({"a": [1, 2, 3]}, "a.0", cut=(("a", 2),)) == [("a",), None]
    assert sorted(map(str, places(BOTH, removed=("a.b", "a.b")))) == ["('a', 'b')", "('a.b',)"]


def test_the_server_says_which_names_a_path_has() -> None:
    """Where it says so of any path, a path that it does not mention is split at its dots, and a number is an index."""
    assert places(NESTED, "a.b", said={"a.b": ["a.b"]}) == [("a.b",)]
    assert places(None, "a.b", "a.0", said={}) == [("a", "b"), ("a", 0)]
    assert places(None, "a.0", said={"a.0": ["a", "0"]}) == [("a", "0")]
    assert places(None, "a.b", said={"a.b": ["a", "c"]}) == [None]


def test_what_the_server_says_of_a_path_is_of_no_use_where_two_are_written_so() -> None:
    """It has one entry for both."""
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
def test_paths_that_no_server_writes_take_no_time(paths: list[str]) -> None:
    """They are not read, or in a second; all their names are looked up a bounded number of times."""
    deep: dict[str, Any] = {}
    for _ in range(150):
        deep = {"a": deep}
    told = places(deep, *paths, removed=tuple(paths))
    assert told[-1] is None


def test_a_thousand_plain_paths_are_read_in_a_large_document() -> None:
    """However many names it has, with dots and without: what is removed is certain."""
    before = {"o": {f"{number}": {"b": 1} for number in range(50_000)}, "x.y": 0}
    paths = tuple(f"o.{number}.b" for number in range(50_000))
    assert places(before, removed=paths)[-1] == ("o", "49999", "b")
