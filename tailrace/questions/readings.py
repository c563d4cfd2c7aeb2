"""
What the paths of an update mean: the place in the document that each of them wrote to.

A server of MongoDB 8.2 says it where it is not plain (``disambiguatedPaths``). Before, the document before the update says it,
where only one reading of a path is possible in it. A server with pre-images (MongoDB 6.0) writes a path only through what was
there: of an object that an update makes, it describes the whole object.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tailrace.questions.paths import ABSENT, NAMES_LIMIT, Names, index, text
from tailrace.wire.change import Document, UpdateDescription

PATHS_LIMIT = 20_000  # of an update that is read: a path takes a kilobyte while it is, whatever it takes on the wire
LOOKUPS_LIMIT = 1_000_000  # names looked up in one document; past it a path counts as one that cannot be read
_TEXT = 128  # characters that are joined in the time of a look-up
_ANYTHING: Any = object()  # in place of what was written: whatever is there
_ROUNDS = 8  # in which the paths that are read let others be read


@dataclass(frozen=True, slots=True)
class Cut:
    """An array was shortened to this size."""

    size: int


@dataclass(frozen=True, slots=True)
class Write:
    """What an update did at a path: a value, ABSENT or a ``Cut``; and at which place, None where that is not known."""

    path: str
    value: Any
    names: Names | None = None


def is_read(described: UpdateDescription) -> bool:
    """Whether it is of a server's form, and names no more paths than are read."""
    paths = len(described.updated_fields) + len(described.removed_fields) + len(described.truncated_arrays)
    return paths <= PATHS_LIMIT and all(map(_is_cut, described.truncated_arrays))


def _is_cut(array: Document) -> bool:
    size = array.get("newSize")
    return isinstance(array.get("field"), str) and isinstance(size, int) and size >= 0


def writes(described: UpdateDescription, before: Document | None) -> list[Write]:
    """All that the update did, in the order in which it is applied."""
    told = [
        *(Write(array["field"], Cut(array["newSize"])) for array in described.truncated_arrays),
        *(Write(path, ABSENT) for path in described.removed_fields),
        *(Write(path, value) for path, value in described.updated_fields.items()),
    ]
    times = Counter(write.path for write in told)
    said = described.disambiguated_paths
    placed = [replace(write, names=_said(write.path, said if times[write.path] == 1 else None)) for write in told]
    return placed if before is None or all(write.names is not None for write in placed) else _read(placed, before)


def _said(path: str, said: Mapping[str, Sequence[str | int]] | None) -> Names | None:
    """The place of a path that needs no document to be read."""
    if "." not in path:
        return (path,)
    if said is None:
        return None
    if path in said:
        names = tuple(said[path])
        return names if len(names) <= NAMES_LIMIT and text(names) == path else None
    if path.count(".") >= NAMES_LIMIT:
        return None
    places = ((name, index(name)) for name in path.split("."))
    return tuple(name if place is None else place for name, place in places)


def _read(told: list[Write], before: Document) -> list[Write]:
    """The writes with every place that is certain in this document: no two are at one place, and none within another."""
    reader = Reader(before)
    possible = [[write.names] if write.names is not None else reader.readings(write) for write in told]
    names_read = sum(len(names) ** 2 for places in possible for names in places)
    for _ in range(_ROUNDS if names_read < LOOKUPS_LIMIT else 0):
        taken = _Taken()
        for write, places in zip(told, possible, strict=True):
            if len(places) == 1:
                taken.add(places[0], write.value)
        fewer = [
            places if len(places) == 1 else [names for names in places if taken.leaves(names, write.value)]
            for write, places in zip(told, possible, strict=True)
        ]
        if fewer == possible:
            break
        possible = fewer
    _share_out(told, possible)
    return [replace(write, names=places[0] if len(places) == 1 else None) for write, places in zip(told, possible, strict=True)]


def _share_out(told: list[Write], possible: list[list[Names]]) -> None:
    """Removals of one path that are as many as its readings took all of them away, in whatever order."""
    of_path: dict[str, list[int]] = {}
    for number, write in enumerate(told):
        if write.value is ABSENT and len(possible[number]) > 1:
            of_path.setdefault(write.path, []).append(number)
    for numbers in of_path.values():
        places = possible[numbers[0]]
        if len(places) == len(numbers):
            for number, names in zip(numbers, places, strict=True):
                possible[number] = [names]


class _Taken:
    """The places of the writes that are certain."""

    def __init__(self) -> None:
        self._at: set[Names] = set()
        self._whole: set[Names] = set()  # with all that lies within
        self._around: set[Names] = set()

    def add(self, names: Names, value: Any) -> None:
        self._at.add(names)
        if not isinstance(value, Cut):
            self._whole.add(names)
        self._around.update(names[:depth] for depth in range(len(names)))

    def leaves(self, names: Names, value: Any) -> bool:
        """Whether another write may be there. In an array that is shortened, elements are set as well."""
        if names in self._at or (names in self._around and not isinstance(value, Cut)):
            return False
        return all(names[:depth] not in self._whole for depth in range(len(names)))


class Reader:
    """Reads paths in one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = LOOKUPS_LIMIT

    def readings(self, write: Write) -> list[Names]:
        """Every place at which the server may have done this; none for a path that does not fit, or takes too long to read."""
        return self._places(write.path, write.value) or []

    def shows(self, path: str) -> list[Names] | None:
        """Every existing place whose path is spelled like this; None for a path that takes too long to read."""
        return self._places(path, _ANYTHING)

    def _places(self, path: str, new: Any) -> list[Names] | None:
        parts = path.split(".", NAMES_LIMIT)
        if len(parts) > NAMES_LIMIT or self._left <= 0:
            return None
        places = list(self._within(self._document, parts, (), new))
        return places if self._left > 0 else None

    def _within(self, holder: Any, rest: list[str], names: Names, new: Any) -> Iterator[Names]:
        whole = ".".join(rest)
        self._left -= len(rest) * (1 + len(whole) // _TEXT)
        if isinstance(holder, list):
            place = index(rest[0])
            if place is None:
                return
            child = holder[place] if place < len(holder) else ABSENT
            if len(rest) > 1:
                yield from self._within(child, rest[1:], (*names, place), new)
            elif new is not ABSENT and _fits(child, new):  # an element is never removed
                yield (*names, place)
        elif isinstance(holder, dict) and self._left > 0:
            if _fits(holder.get(whole, ABSENT), new):
                yield (*names, whole)
            for count in range(1, len(rest)):
                name = ".".join(rest[:count])
                if name in holder:
                    yield from self._within(holder[name], rest[count:], (*names, name), new)


def _fits(old: Any, new: Any) -> bool:
    """Whether a server does this to what is there."""
    if isinstance(new, Cut):
        return isinstance(old, list) and new.size <= len(old)
    return old is not ABSENT if new is ABSENT or new is _ANYTHING else True
