"""An update applied to the document before it, as the server applied it, from what the server told of it."""

from collections.abc import Iterable
from typing import Any

from tailrace.questions.paths import ABSENT, Names, index
from tailrace.questions.readings import Cut, Write
from tailrace.wire.change import Document

PADDING_LIMIT = 1_500_000  # elements, MongoDB, between an array's end and an element that is set beyond it
ELEMENTS_LIMIT = 12_000_000  # copied or filled for one update: two documents of 16 MB, at three bytes each, hold no more


class Ambiguous(ValueError):
    """A path can be read in two ways or does not lead through this document, or the update is none that a server makes."""


def applied(before: Document, writes: Iterable[Write]) -> Document:
    """
    The document after an update, from the one before and what the update did. Neither is touched.

    It takes time and memory in proportion to the documents and the update, however the places lie.

    Raises:
        Ambiguous: the place of a write is not known, or does not fit the document, or the update passes a limit.
    """
    after = _Draft(before)
    for write in writes:
        if write.names is None:
            raise Ambiguous(f"{write.path!r} can be read in more than one way, or does not lead through the document")
        after.write(write.names, write.value)
    return after.document


class _Draft:
    """
    A document that is being written. What is not its own it copies before it writes there: once, however many writes follow.

    Its own it knows by ``id``. Nothing else can come to have the ``id`` of a copy that it let go: all else was there before.
    """

    def __init__(self, before: Document) -> None:
        self._left = ELEMENTS_LIMIT
        self._own: set[int] = set()
        self.document: Document = self._its_own(dict(before))

    def write(self, names: Names, new: Any) -> None:
        """Put the value there, take away what is there (ABSENT), or shorten the array that is there (``Cut``)."""
        holder: Any = self.document
        for name in names[:-1]:
            holder = self._within(holder, name)
        if not self._put(holder, names[-1], new):
            raise Ambiguous(f"{'.'.join(map(str, names))!r} does not lead through the document")

    def _within(self, holder: Any, name: str | int) -> Any:
        """The object or array there, as a part that may be written to; ABSENT where there is none."""
        key, child = _child(holder, name)
        if not isinstance(child, dict | list):
            return ABSENT
        if id(child) not in self._own:
            holder[key] = child = self._its_own(child.copy())
        return child

    def _put(self, holder: Any, name: str | int, new: Any) -> bool:
        key, old = _child(holder, name)
        if key is None or (isinstance(new, Cut) and not isinstance(old, list)):
            return False
        if isinstance(new, Cut):
            holder[key] = self._its_own(old[: new.size])
        elif isinstance(holder, dict):
            if new is ABSENT:
                holder.pop(key, None)
            else:
                holder[key] = new
        else:
            return self._set_element(holder, key, new)
        return True

    def _set_element(self, array: list[Any], place: int, new: Any) -> bool:
        """As MongoDB does, which fills with null what is missing before an element beyond the end, and removes no element."""
        if new is ABSENT or place > len(array) + PADDING_LIMIT:
            return False
        if (missing := place + 1 - len(array)) > 0:
            self._spend(missing)
            array += [None] * missing
        array[place] = new
        return True

    def _its_own(self, value: Any) -> Any:
        """A writable copy of the object or array, which nothing else refers to."""
        self._spend(len(value))
        self._own.add(id(value))
        return value

    def _spend(self, elements: int) -> None:
        self._left -= elements
        if self._left < 0:
            raise Ambiguous(f"the update copies or fills more than {ELEMENTS_LIMIT} elements: no document holds so many")


def _child(holder: Any, name: str | int) -> tuple[Any, Any]:
    """The key under which the object or array has this name, None for none; and what is there, or ABSENT."""
    if isinstance(holder, dict):
        return str(name), holder.get(str(name), ABSENT)
    if isinstance(holder, list):
        place = index(str(name))
        return place, ABSENT if place is None or place >= len(holder) else holder[place]
    return None, ABSENT
