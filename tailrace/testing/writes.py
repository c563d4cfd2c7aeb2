"""Applies ``$set`` and ``$unset`` to a document as the server does, and describes what they changed as its events do."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from itertools import combinations
from typing import Any, NamedTuple

Document = Mapping[str, Any]


class Written(NamedTuple):
    """The document after an update, and the description of the update in its event."""

    after: dict[str, Any]
    updated: dict[str, Any]
    removed: list[str]


def write(before: Document, fields: Document, removed: Iterable[str] = ()) -> Written:
    """
    Set these fields and remove others, by dotted path. A field whose value does not change is not described. A path that leads
    through missing objects creates them, and the description has the outermost of them.

    Raises:
        ValueError: the server would refuse the update, or it changes nothing, and the server sends no event.
    """
    removed = list(dict.fromkeys(removed))
    for path, other in combinations(sorted([*fields, *removed]), 2):
        if f"{other}.".startswith(f"{path}."):
            raise ValueError(f"the fields {path!r} and {other!r} of the update conflict: the server refuses it")
    written = Written(deepcopy(dict(before)), {}, [])
    for path in sorted([*fields, *removed], key=_order):
        if path in fields:
            _set(written, path, deepcopy(fields[path]))
        else:
            _unset(written, path)
    written.removed.sort(key=_depth_order)
    if not written.updated and not written.removed:
        raise ValueError("the update changes nothing: the server sends no event for it")
    return written


def _set(written: Written, path: str, value: Any) -> None:
    holder, existing, key, missing = _place(written.after, path)
    for name in reversed(missing):
        value = {name: value}
    if _has(holder, key) and _same(holder[key], value):
        return
    if isinstance(holder, list):  # the server fills the gap before an element after the end with null
        holder += [None] * (key + 1 - len(holder))
    holder[key] = value
    if not any(path.startswith(f"{created}.") for created in written.updated):  # what was created contains this field too
        written.updated[existing] = value


def _unset(written: Written, path: str) -> None:
    try:
        holder, _, key, missing = _place(written.after, path)
    except ValueError:
        return  # there is nothing at this path
    if missing or not _has(holder, key):
        return
    if isinstance(holder, list):
        holder[key] = written.updated[path] = None  # an element of an array becomes null, and is described even if it was null
    else:
        del holder[key]
        written.removed.append(path)


def _place(document: Any, path: str) -> tuple[Any, str, Any, list[str]]:
    """
    Return the innermost object or array that exists on the path, the path of the next name and its key there, and the names
    that are missing after it.
    """
    names = path.split(".")
    holder = document
    for depth, name in enumerate(names, 1):
        if isinstance(holder, list) and name.isdecimal():
            key: str | int = int(name)
        elif isinstance(holder, dict):
            key = name
        else:
            raise ValueError(f"{path!r} leads through a value that is no object: the server refuses the update")
        if depth == len(names) or not _has(holder, key):
            break
        holder = holder[key]
    return holder, ".".join(names[:depth]), key, names[depth:]


def _has(holder: Any, key: Any) -> bool:
    return key < len(holder) if isinstance(holder, list) else key in holder


def _order(path: str) -> list[str]:
    """The order in which the server applies fields: by name, and numbers by their value."""
    return [name.zfill(20) if name.isdecimal() else name for name in path.split(".")]


def _depth_order(path: str) -> list[tuple[int, str]]:
    """The order in which the server lists removed fields: those of an object come before those of the objects inside it."""
    *outer, last = _order(path)
    return [*((1, name) for name in outer), (0, last)]


def _same(one: Any, other: Any) -> bool:
    """Whether two values are stored as the same: 1 and 1.0 are not, nor are objects with another order of fields."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(_same, one.values(), other.values()))
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
