"""
Documents of plain JSON values, and dotted paths into them, as MongoDB writes them: ``items.0.price``.

A path is text, a place is exact. The field ``b`` of ``a`` and a field with the name ``a.b`` are both written ``a.b``: where a
document has both, their names collide.
"""

from collections.abc import Iterator
from typing import Any

Names = tuple[str | int, ...]
"""One place in a document: the name of each field and the index of each element that lead there."""

NAMES_LIMIT = 200  # names in a path that is read: MongoDB nests no deeper
ABSENT: Any = object()
"""There is nothing at the place. Not the same as null."""


def found(document: Any, path: str) -> dict[Names, Any]:
    """
    Every field and element of the document that is written so, with its value: mostly one or none, more where names collide.

    The empty path is the field with the empty name.
    """
    names = path.split(".", NAMES_LIMIT)
    return dict(_found(document, names, ())) if len(names) <= NAMES_LIMIT else {}


def _found(value: Any, rest: list[str], names: Names) -> Iterator[tuple[Names, Any]]:
    if not rest:
        yield names, value
    elif isinstance(value, list):
        place = index(rest[0])
        if place is not None and place < len(value):
            yield from _found(value[place], rest[1:], (*names, place))
    elif isinstance(value, dict):
        for count in range(1, len(rest) + 1):
            name = ".".join(rest[:count])
            if name in value:
                yield from _found(value[name], rest[count:], (*names, name))


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to MongoDB: 1 and 1.0 are, 1 and true are not. The order of keys does not count."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def below(path: str, ancestor: str) -> str | None:
    """The rest of a path that lies under another; None where it does not. A path does not lie under itself."""
    return path[len(ancestor) + 1 :] if path.startswith(f"{ancestor}.") else None


def text(names: Names) -> str:
    """The path of a place."""
    return ".".join(map(str, names))


def index(name: str) -> int | None:
    """The index of an element that the name is; None where it is none: MongoDB writes them without leading zeros."""
    if name.isascii() and name.isdecimal() and len(name) < 10 and (name[0] != "0" or name == "0"):
        return int(name)
    return None
