"""The profiles of Amazon DocumentDB, read from the TOML files beside this one: what is known of each version."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import msgspec

FOLDER = Path(__file__).parent

Value = str | int


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that DocumentDB does differently from MongoDB. ``reason``: why the dialect does not play it."""

    meaning: str
    source: str
    kind: Literal["choice", "number", "text"] = "choice"
    values: tuple[Value, ...] = ()
    played: bool = True
    reason: str = ""

    def __post_init__(self) -> None:
        if not self.played and (not self.reason or self.values):
            raise ValueError("a behaviour that is not played has a reason, and no values")
        if self.played and (bool(self.values) != (self.kind == "choice") or self.reason):
            raise ValueError("a behaviour that is played has values, or is a number or a text; it has no reason")

    def allows(self, value: Value) -> bool:
        """Whether a profile may have this value."""
        if self.kind == "choice":
            return value in self.values
        return isinstance(value, int if self.kind == "number" else str)


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One version of DocumentDB. ``values`` has a value for each behaviour that is played."""

    name: str
    title: str
    values: Mapping[str, Value]
    verified: frozenset[str]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str
    verified: dict[str, Value]
    unverified: dict[str, tuple[Value, ...]]


@cache
def behaviours() -> Mapping[str, Behaviour]:
    """Return every behaviour by its name."""
    return MappingProxyType(msgspec.convert(_read("behaviours"), dict[str, Behaviour]))


def names() -> list[str]:
    """Return the name of each profile, for example ``documentdb-5.0``."""
    return sorted(file.stem for file in FOLDER.glob("documentdb-*.toml"))


def variants(name: str) -> list[Profile]:
    """
    Return the variants of a profile. The first has the likelier value of each unverified behaviour, the next has its next
    value. So each value of each behaviour is in one of them.

    Raises:
        ValueError: the file has an unknown behaviour or value, or lacks a behaviour. The message names it.
    """
    if name not in names():
        raise ValueError(f"no profile {name!r}: choose one of {', '.join(names())}")
    return parse(name, _read(name))


def profile(name: str) -> Profile:
    """Return a profile by its name. ``documentdb-8.0:2`` is its second variant."""
    stem, _, number = name.partition(":")
    found = variants(stem)
    if number and (not number.isdigit() or not 0 < int(number) <= len(found)):
        raise ValueError(f"{stem} has no variant {number!r}: it has {len(found)}, from 1 on")
    return found[int(number or 1) - 1]


def parse(name: str, content: Mapping[str, Any]) -> list[Profile]:
    """Return the variants that the content of a profile's file describes. See ``variants``."""
    try:
        file = msgspec.convert(content, _File)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from error
    choices = {row: (value,) for row, value in file.verified.items()} | file.unverified
    _check(name, file, choices)
    count = max(map(len, choices.values()))
    return [
        Profile(
            name=name if number == 1 else f"{name}:{number}",
            title=file.title,
            values=MappingProxyType({row: values[min(number, len(values)) - 1] for row, values in choices.items()}),
            verified=frozenset(file.verified),
        )
        for number in range(1, count + 1)
    ]


def _check(name: str, file: _File, choices: Mapping[str, tuple[Value, ...]]) -> None:
    played = {row for row, behaviour in behaviours().items() if behaviour.played}
    if unknown := choices.keys() - played:
        raise ValueError(f"{name}: {min(unknown)} is not a behaviour that is played")
    if missing := played - choices.keys():
        raise ValueError(f"{name} lacks {min(missing)}")
    if twice := file.verified.keys() & file.unverified.keys():
        raise ValueError(f"{name}: {min(twice)} is both verified and unverified")
    for row, values in choices.items():
        if not values or not all(map(behaviours()[row].allows, values)):
            raise ValueError(f"{name}: {row} cannot be {', '.join(map(repr, values)) or 'nothing'}")


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
