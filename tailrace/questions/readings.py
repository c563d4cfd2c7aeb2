"""
Finds the place in the document that each path of an update refers to.

A path is ambiguous when a field's name holds a dot or a number. MongoDB 8.2 and later resolve such paths in
``disambiguatedPaths``. For older servers the pre-image resolves a path, if only one reading of it fits that document. This is
safe because a server with pre-images (MongoDB 6.0 and later) writes a path only through fields that existed before: if an
update creates an object, the description holds the whole object.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tailrace.questions.paths import ABSENT, NAMES_LIMIT, Names, index, text
from tailrace.wire.change import Document, UpdateDescription

PATHS_LIMIT = 20_000  # paths of an update; reading a path takes a kilobyte of memory, whatever its size on the wire
LOOKUPS_LIMIT = 1_000_000  # field names looked up in one document; after that, a path counts as ambiguous
_TEXT = 128  # characters; joining so many takes as long as one look-up
_ANYTHING: Any = object()  # stands for any value: the caller asks which places exist
_ROUNDS = 8  # of elimination: each path that becomes certain can make others certain


@dataclass(frozen=True, slots=True)
class Cut:
    """An array was shortened to this size."""

    size: int


@dataclass(frozen=True, slots=True)
class Write:
    """
    One write of an update: the path, and the new value, ABSENT (removed) or a ``Cut``.

    ``names`` is the place of the path in the document; None if it is unknown.
    """

    path: str
    value: Any
    names: Names | None = None


def is_read(described: UpdateDescription) -> bool:
    """Whether the description has the form that a server writes, and at most ``PATHS_LIMIT`` paths."""
    paths = len(described.updated_fields) + len(described.removed_fields) + len(described.truncated_arrays)
    return paths <= PATHS_LIMIT and all(map(_is_cut, described.truncated_arrays))


def _is_cut(array: Document) -> bool:
    size = array.get("newSize")
    return isinstance(array.get("field"), str) and isinstance(size, int) and size >= 0


def writes(described: UpdateDescription, before: Document | None) -> list[Write]:
    """Return the writes of the update, in the order in which they are applied. ``before`` is the pre-image, if there is one."""
    listed = [
        *(Write(array["field"], Cut(array["newSize"])) for array in described.truncated_arrays),
        *(Write(path, ABSENT) for path in described.removed_fields),
        *(Write(path, value) for path, value in described.updated_fields.items()),
    ]
    times = Counter(write.path for write in listed)
    given = described.disambiguated_paths
    placed = [replace(write, names=_given(write.path, given if times[write.path] == 1 else None)) for write in listed]
    return placed if before is None or all(write.names is not None for write in placed) else _resolved(placed, before)


def _given(path: str, given: Mapping[str, Sequence[str | int]] | None) -> Names | None:
    """Return the place of a path if the description alone determines it. ``given`` is ``disambiguatedPaths``."""
    if "." not in path:
        return (path,)
    if given is None:
        return None
    if path in given:
        names = tuple(given[path])
        return names if len(names) <= NAMES_LIMIT and text(names) == path else None
    if path.count(".") >= NAMES_LIMIT:
        return None
    places = ((name, index(name)) for name in path.split("."))
    return tuple(name if place is None else place for name, place in places)


def _resolved(listed: list[Write], before: Document) -> list[Write]:
    """
    Return the writes with every place that is certain in this document.

    First each path gets all places that fit the document. Then places are eliminated, round by round: no two writes of an
    update have the same place, and none lies within another.
    """
    reader = Reader(before)
    possible = [[write.names] if write.names is not None else reader.readings(write) for write in listed]
    names_read = sum(len(names) ** 2 for places in possible for names in places)
    for _ in range(_ROUNDS if names_read < LOOKUPS_LIMIT else 0):
        taken = _TakenPlaces()
        for write, places in zip(listed, possible, strict=True):
            if len(places) == 1:
                taken.add(places[0], write.value)
        fewer = [
            places if len(places) == 1 else [names for names in places if taken.allows(names, write.value)]
            for write, places in zip(listed, possible, strict=True)
        ]
        if fewer == possible:
            break
        possible = fewer
    _distribute(listed, possible)
    return [
        replace(write, names=places[0] if len(places) == 1 else None) for write, places in zip(listed, possible, strict=True)
    ]


def _distribute(listed: list[Write], possible: list[list[Names]]) -> None:
    """
    Give each removal of an ambiguous path one of its places, if there are as many removals as places.

    All of the places were removed then, so the order does not matter.
    """
    of_path: dict[str, list[int]] = {}
    for number, write in enumerate(listed):
        if write.value is ABSENT and len(possible[number]) > 1:
            of_path.setdefault(write.path, []).append(number)
    for numbers in of_path.values():
        places = possible[numbers[0]]
        if len(places) == len(numbers):
            for number, names in zip(numbers, places, strict=True):
                possible[number] = [names]


class _TakenPlaces:
    """The places of the writes that are certain: no other write can have them."""

    def __init__(self) -> None:
        self._at: set[Names] = set()
        self._whole: set[Names] = set()  # written whole: no other write lies within
        self._around: set[Names] = set()  # objects and arrays with a write inside

    def add(self, names: Names, value: Any) -> None:
        self._at.add(names)
        if not isinstance(value, Cut):
            self._whole.add(names)
        self._around.update(names[:depth] for depth in range(len(names)))

    def allows(self, names: Names, value: Any) -> bool:
        """Whether another write can have this place. An update can shorten an array and also set its elements."""
        if names in self._at or (names in self._around and not isinstance(value, Cut)):
            return False
        return all(names[:depth] not in self._whole for depth in range(len(names)))


class Reader:
    """Finds the places of paths in one document, with at most ``LOOKUPS_LIMIT`` look-ups in all."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = LOOKUPS_LIMIT

    def readings(self, write: Write) -> list[Names]:
        """Return all places where the server can have made this write; none if the path does not fit or reaches the limit."""
        return self._places(write.path, write.value) or []

    def shows(self, path: str) -> list[Names] | None:
        """Return all existing places with this path; None if the search reaches the limit."""
        return self._places(path, _ANYTHING)

    def _places(self, path: str, new: Any) -> list[Names] | None:
        parts = path.split(".", NAMES_LIMIT)
        if len(parts) > NAMES_LIMIT or self._left <= 0:
            return None
        places = list(self._within(self._document, parts, (), new))
        return places if self._left > 0 else None

    def _within(self, holder: Any, rest: list[str], names: Names, new: Any) -> Iterator[Names]:
        """Yield the places within ``holder``, which lies at ``names``. ``rest`` is the rest of the path, split at its dots."""
        whole = ".".join(rest)
        self._left -= len(rest) * (1 + len(whole) // _TEXT)
        if isinstance(holder, list):
            place = index(rest[0])
            if place is None:
                return
            child = holder[place] if place < len(holder) else ABSENT
            if len(rest) > 1:
                yield from self._within(child, rest[1:], (*names, place), new)
            elif new is not ABSENT and _fits(child, new):  # a server never removes an element by its path
                yield (*names, place)
        elif isinstance(holder, dict) and self._left > 0:
            if _fits(holder.get(whole, ABSENT), new):
                yield (*names, whole)
            for count in range(1, len(rest)):
                name = ".".join(rest[:count])
                if name in holder:
                    yield from self._within(holder[name], rest[count:], (*names, name), new)


def _fits(old: Any, new: Any) -> bool:
    """Whether a server can make this write to the present value."""
    if isinstance(new, Cut):
        return isinstance(old, list) and new.size <= len(old)
    return old is not ABSENT if new is ABSENT or new is _ANYTHING else True
