"""
Documents of plain JSON values, and dotted paths into them, as MongoDB writes them: ``items.0.price``.

A path is text and can be ambiguous; a place is exact. The field ``b`` of ``a`` and a field with the name ``a.b`` have the same
path, ``a.b``. If a document has both, their names collide.
"""

from collections.abc import Iterator
from typing import Any

Names = tuple[str | int, ...]
"""One place in a document: the name of each field and the index of each element that lead there."""

NAMES_LIMIT = 200  # names in a path that is read: MongoDB nests no deeper
ABSENT: Any = object()
"""The place does not exist in the document. Not the same as null."""


def found(document: Any, path: str) -> dict[Names, Any]:
    """
    Return every field and element with this path, with its value: usually one or none, more if names collide.

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


def same(left: Any, right: Any) -> bool:
    """Whether MongoDB considers two values equal: 1 equals 1.0, 1 does not equal true. The order of keys does not count."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def below(path: str, ancestor: str) -> str | None:
    """The rest of ``path`` below ``ancestor``; None if it is not below. A path is not below itself."""
    return path[len(ancestor) + 1 :] if path.startswith(f"{ancestor}.") else None


def text(names: Names) -> str:
    """The path of a place."""
    return ".".join(map(str, names))


def index(name: str) -> int | None:
    """The name as an array index; None if it is no index. MongoDB writes an index without leading zeros."""
    if name.isascii() and name.isdecimal() and len(name) < 10 and (name[0] != "0" or name == "0"):
        return int(name)
    return None
