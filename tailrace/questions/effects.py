"""The effect of one write of an update at a path."""

from collections.abc import Iterator, Sequence
from typing import Any

from tailrace.questions.paths import ABSENT, Names, below, found, index
from tailrace.questions.readings import Cut, Reader, Write


def concerns(write: Write, path: str) -> bool:
    """Whether the write is at, above or below the path, or at an element next to it, which can fill up the array."""
    if write.path == path or below(write.path, path) is not None or below(path, write.path) is not None:
        return True
    array, dot, last = write.path.rpartition(".")
    return bool(dot) and index(last) is not None and (path == array or below(path, array) is not None)


def changes_part(write: Write, path: str) -> bool:
    """Whether the write changed only a part of the value at the path."""
    return below(write.path, path) is not None or (write.path == path and isinstance(write.value, Cut))


def values_at(write: Write, path: str) -> Iterator[Any]:
    """Yield the values that the write set at the path, as far as it contains them."""
    rest = "" if write.path == path else below(path, write.path)
    if rest is None or isinstance(write.value, Cut):
        return
    if write.path == path or write.value is ABSENT:
        yield write.value
    else:
        yield from found(write.value, rest).values() or (ABSENT,)


def change_by(write: Write, path: str, shown: Sequence[Reader]) -> bool | None:
    """Whether the write changed the value at the path; None if that is unknown. ``shown`` are the documents of the change."""
    if write.path == path:
        return True
    if below(write.path, path) is not None:
        return _is_below(write, path, shown)
    if isinstance(write.value, Cut):
        return None if cuts(write, path) else False
    return None if below(path, write.path) is not None else False


def _is_below(write: Write, path: str, shown: Sequence[Reader]) -> bool | None:
    """
    Whether the write is inside the field at the path, and not at a sibling whose name contains a dot.

    Without a place or a document that decides it, return True. Return None if a document has a name with that dot.
    """
    if write.names is not None:
        return _leads_through(write.names, path)
    for document in shown:
        places = document.shows(write.path)
        if places is None or not all(_leads_through(names, path) for names in places):
            return None
    return True


def _leads_through(names: Names, path: str) -> bool:
    """Whether an enclosing place has this path. The path of ``names`` begins with ``path``."""
    length = -1
    for name in names[:-1]:
        length += len(str(name)) + 1
        if length >= len(path):
            break
    return length == len(path)


def fills(write: Write, path: str) -> bool:
    """Whether a later element of the same array was set. If the array ended before both, this element is null now."""
    (array, _, name), (other_array, _, other_name) = path.rpartition("."), write.path.rpartition(".")
    if array != other_array or write.value is ABSENT or isinstance(write.value, Cut):
        return False
    if write.names is not None and isinstance(write.names[-1], str):
        return False
    here, there = index(name), index(other_name)
    return here is not None and there is not None and there > here


def cuts(write: Write, path: str) -> bool:
    """Whether the write shortened an array so that the path is after its end."""
    rest = below(path, write.path)
    if rest is None or not isinstance(write.value, Cut):
        return False
    place = index(rest.partition(".")[0])
    return place is not None and place >= write.value.size
