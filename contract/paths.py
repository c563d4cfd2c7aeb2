"""Documents of plain JSON values and dotted paths into them, as MongoDB's update descriptions write them: ``items.0.price``."""

from collections.abc import Iterable
from typing import Any

Document = dict[str, Any]
"""A document of plain JSON values: text, numbers, booleans, null, lists and objects."""

ABSENT: Any = object()
"""There is nothing at the path. Not the same as null."""

PADDING_LIMIT = 1_500_000  # elements, MongoDB, between an array's end and an element that is set beyond it


class Ambiguous(ValueError):
    """The path can be read in two ways, or does not lead through this document."""


def at(value: Any, path: str) -> Any:
    """What lies at the path: through objects by name, through arrays by index. The empty path is the value itself."""
    for name in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(name, ABSENT)
        elif isinstance(value, list):
            index = _index(name)
            value = ABSENT if index is None or index >= len(value) else value[index]
        else:
            return ABSENT
    return value


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
    """The rest of ``path`` under ``ancestor``: empty for the same path, None where it does not lie there."""
    if path == ancestor:
        return ""
    return path[len(ancestor) + 1 :] if path.startswith(f"{ancestor}.") else None


def applied(before: Document, *, updated: Document, removed: Iterable[str], truncated: Iterable[Document]) -> Document:
    """
    The document after an update, from the one before and what the update set, removed and shortened. Neither is touched.

    Raises:
        Ambiguous: a field's name holds a dot, or the update does not fit the document.
    """
    after: Any = before
    for array in truncated:
        whole = at(before, array["field"])
        if not isinstance(whole, list):
            raise Ambiguous(f"{array['field']} is not an array")
        after = _written(after, array["field"].split("."), whole[: array["newSize"]])
    for path in removed:
        after = _written(after, path.split("."), ABSENT)
    for path, value in updated.items():
        after = _written(after, path.split("."), value)
    return dict(after)


def _written(value: Any, names: list[str], new: Any) -> Any:
    """A copy, as deep as the path only, with the new value at its end."""
    if not names:
        return new
    name, rest = names[0], names[1:]
    if value is ABSENT and new is not ABSENT:
        value = {}
    if isinstance(value, list):
        return _element_written(value, name, rest, new)
    if not isinstance(value, dict) or (rest and any(key.startswith(f"{name}.") for key in value)):
        raise Ambiguous(f"{'.'.join(names)} does not lead through the document in one way")
    child = _written(value.get(name, ABSENT), rest, new)
    if child is ABSENT:
        return {key: kept for key, kept in value.items() if key != name}
    return {**value, name: child}


def _element_written(array: list[Any], name: str, rest: list[str], new: Any) -> list[Any]:
    index = _index(name)
    if index is None or index > len(array) + PADDING_LIMIT or (not rest and new is ABSENT):
        raise Ambiguous(f"{name} is no element of the array")
    padded = array + [None] * (index + 1 - len(array))  # as MongoDB fills the gap before an element beyond the end
    return [*padded[:index], _written(padded[index], rest, new), *padded[index + 1 :]]


def _index(name: str) -> int | None:
    return int(name) if name.isdecimal() and len(name) < 10 else None
