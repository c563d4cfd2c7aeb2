"""The profiles are complete, and a wrong one is refused by name."""

import tomllib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from devstack.documentdb.profiles import FOLDER, Behaviour, behaviours, names, parse, profile, variants

Content = dict[str, Any]


@pytest.fixture
def content() -> Content:
    return tomllib.loads((FOLDER / "documentdb-5.0.toml").read_text(encoding="utf-8"))


def test_each_profile_has_a_value_for_each_behaviour_that_is_played() -> None:
    assert names() == ["documentdb-5.0", "documentdb-5.0-unpatched", "documentdb-8.0", "documentdb-8.0.2"]
    played = {name for name, behaviour in behaviours().items() if behaviour.played}
    for name in names():
        for one in variants(name):
            assert one.values.keys() == played
            assert one.verified < played


def test_variants_have_each_value_of_an_unverified_behaviour() -> None:
    first, second = variants("documentdb-5.0")
    assert (first.name, second.name) == ("documentdb-5.0", "documentdb-5.0:2")
    assert (first.values["add_fields"], second.values["add_fields"]) == ("accepted", 304)
    assert all(first.values[row] == second.values[row] for row in first.verified)
    assert profile("documentdb-5.0:2") == second


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: file["verified"].update(nonsense=1), "nonsense is not a behaviour that is played"),
        (lambda file: file["verified"].update(max_time="late"), "max_time is not a behaviour that is played"),
        (lambda file: file["verified"].update(start_after=10), "start_after cannot be 10"),
        (lambda file: file["verified"].update(cursor_limit="30"), "cursor_limit cannot be '30'"),
        (lambda file: file["unverified"].update(add_fields=[]), "add_fields cannot be nothing"),
        (lambda file: file["unverified"].update(stall=["until the write ends"]), "stall is both verified and unverified"),
        (lambda file: file["verified"].pop("stall"), "lacks stall"),
        (lambda file: file.update(nonsense=1), "unknown field `nonsense`"),
    ],
)
def test_wrong_profile_is_refused(content: Content, change: Callable[[Content], Any], words: str) -> None:
    assert parse("documentdb-5.0", content) == variants("documentdb-5.0")
    change(content)
    with pytest.raises(ValueError, match=words):
        parse("documentdb-5.0", content)


@pytest.mark.parametrize("name", ["documentdb-6.0", "documentdb-5.0:3", "documentdb-5.0:0", "documentdb-5.0:x"])
def test_unknown_profile_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="documentdb-5"):
        profile(name)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"played": False}, "has a reason"),
        ({"played": False, "reason": "none", "values": ["a"]}, "no values"),
        ({}, "has values"),
        ({"values": ["a"], "kind": "number"}, "has values"),
        ({"values": ["a"], "nonsense": 1}, "unknown field"),
        ({"values": [1.5]}, "Expected"),
    ],
)
def test_wrong_behaviour_is_refused(given: Content, words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert({"meaning": "", "source": ""} | given, Behaviour)


def test_profile_cannot_be_changed() -> None:
    found: Any = profile("documentdb-8.0")
    with pytest.raises(TypeError):
        found.values["start_after"] = 1
