"""Documents of plain JSON values and dotted paths into them, as MongoDB's update descriptions write them: ``items.0.price``."""

from typing import Any

Document = dict[str, Any]
"""A document of plain JSON values: text, numbers, booleans, null, lists and objects."""

ABSENT: Any = object()
"""There is nothing at the path. Not the same as null."""


def at(value: Any, path: str) -> Any:
    """What lies at the path: through objects by name, through arrays by index. The empty path is the value itself."""
    for name in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(name, ABSENT)
        elif isinstance(value, list):
            place = index(name)
            value = ABSENT if place is None or place >= len(value) else value[place]
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


def index(name: str) -> int | None:
    """The place in an array that the name is; None where it cannot be one."""
    return int(name) if name.isdecimal() and len(name) < 10 else None
