"""Applies an update's writes to the pre-image, as the server applied them."""

from collections.abc import Iterable
from typing import Any

from tailrace.questions.paths import ABSENT, Names, index, text
from tailrace.questions.readings import Cut, Write
from tailrace.wire.change import Document

PADDING_LIMIT = 1_500_000  # elements, MongoDB, from an array's end to an element that is set after it
ELEMENTS_LIMIT = 12_000_000  # elements copied or filled for one update; two documents of 16 MB have fewer, at three bytes each


class Ambiguous(ValueError):
    """A path is ambiguous or does not exist in this document, or the update is not one that a server makes."""


def applied(before: Document, writes: Iterable[Write]) -> Document:
    """
    Return the document after the update. Neither argument is modified.

    Time and memory are proportional to the size of the document and the update.

    Raises:
        Ambiguous: the place of a write is unknown or does not fit the document, or the update exceeds a limit.
    """
    after = _Draft(before)
    for write in writes:
        if write.names is None:
            raise Ambiguous(f"the path {write.path!r} is ambiguous or does not exist in the document")
        after.write(write.names, write.value)
    return after.document


class _Draft:
    """
    A copy-on-write document. It copies an object or array once, before the first write to it.

    It recognizes its copies by ``id``. A discarded copy's ``id`` is never reused: all other objects existed before.
    """

    def __init__(self, before: Document) -> None:
        self._left = ELEMENTS_LIMIT
        self._own: set[int] = set()
        self.document: Document = self._register(dict(before))

    def write(self, names: Names, new: Any) -> None:
        """Set the value at this place, remove it (ABSENT), or shorten the array there (``Cut``)."""
        holder: Any = self.document
        for name in names[:-1]:
            holder = self._within(holder, name)
        if not self._put(holder, names[-1], new):
            raise Ambiguous(f"{text(names)!r} does not exist in the document")

    def _within(self, holder: Any, name: str | int) -> Any:
        """Return a writable copy of the object or array with this name; ABSENT if there is none."""
        key, child = _child(holder, name)
        if not isinstance(child, dict | list):
            return ABSENT
        if id(child) not in self._own:
            holder[key] = child = self._register(child.copy())
        return child

    def _put(self, holder: Any, name: str | int, new: Any) -> bool:
        key, old = _child(holder, name)
        if key is None or (isinstance(new, Cut) and not isinstance(old, list)):
            return False
        if isinstance(new, Cut):
            holder[key] = self._register(old[: new.size])
        elif isinstance(holder, dict):
            if new is ABSENT:
                holder.pop(key, None)
            else:
                holder[key] = new
        else:
            return self._set_element(holder, key, new)
        return True

    def _set_element(self, array: list[Any], place: int, new: Any) -> bool:
        """Set an element as MongoDB does: fill the gap before an element after the end with null, and never remove one."""
        if new is ABSENT or place > len(array) + PADDING_LIMIT:
            return False
        if (missing := place + 1 - len(array)) > 0:
            self._spend(missing)
            array += [None] * missing
        array[place] = new
        return True

    def _register(self, value: Any) -> Any:
        """Register a copy, which nothing else refers to, as writable."""
        self._spend(len(value))
        self._own.add(id(value))
        return value

    def _spend(self, elements: int) -> None:
        self._left -= elements
        if self._left < 0:
            raise Ambiguous(f"the update needs more than {ELEMENTS_LIMIT} elements, and no document has so many")


def _child(holder: Any, name: str | int) -> tuple[Any, Any]:
    """Return the key or index for this name, None if there is none; and the value there, or ABSENT."""
    if isinstance(holder, dict):
        return str(name), holder.get(str(name), ABSENT)
    if isinstance(holder, list):
        place = index(str(name))
        return place, ABSENT if place is None or place >= len(holder) else holder[place]
    return None, ABSENT
