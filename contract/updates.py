"""An update applied to the document before it, as the server applied it, from what the server told of it."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from contract.paths import ABSENT, Document, at, index

PADDING_LIMIT = 1_500_000  # elements, MongoDB, between an array's end and an element that is set beyond it
DEPTH_LIMIT = 200  # names in a path: MongoDB nests no deeper
ELEMENTS_LIMIT = 12_000_000  # copied or filled for one update: two documents of 16 MB, at three bytes each, hold no more
_AN_OBJECT = 25  # elements that take the memory of an object with one field


class Ambiguous(ValueError):
    """A path can be read in two ways or does not lead through this document, or the update is none that a server makes."""


def applied(before: Document, *, updated: Document, removed: Iterable[str], truncated: Iterable[Document]) -> Document:
    """
    The document after an update, from the one before and what the update set, removed and shortened. Neither is touched.

    It takes time and memory in proportion to the documents and the update, however the paths lie.

    Raises:
        Ambiguous: a field's name holds a dot, or the update does not fit the document, or passes a limit.
    """
    after = _Draft(before)
    for array in truncated:
        whole = at(before, array["field"])
        if not isinstance(whole, list):
            raise Ambiguous(f"{array['field']} is not an array")
        after.write(array["field"], after.its_own(whole[: array["newSize"]]))
    for path in removed:
        after.write(path, ABSENT)
    for path, value in updated.items():
        after.write(path, value)
    return after.document


class _Draft:
    """
    A document that is being written. What is not its own it copies before it writes there: once, however many paths follow.

    Its own it knows by ``id``. Nothing else can come to have the ``id`` of a copy that it let go: all else was there before.
    """

    def __init__(self, before: Document) -> None:
        self._left = ELEMENTS_LIMIT
        self._own: dict[int, list[str] | None] = {}  # and of an object the keys that hold a dot, sorted, once it was asked
        self.document: Document = self.its_own(dict(before))

    def its_own(self, value: Any) -> Any:
        """The object or array, which nobody else has, as a part that may be written to."""
        self._spend(len(value))
        self._own[id(value)] = None
        return value

    def write(self, path: str, new: Any) -> None:
        """Put the value at the path, and make the objects that it needs around it; or take away what is there: ABSENT."""
        *way, last = path.split(".", DEPTH_LIMIT)
        holder: Any = self.document if len(way) < DEPTH_LIMIT else ABSENT
        for name in way:
            holder = self._within(holder, name, make=new is not ABSENT)
        if not self._put(holder, last, new):
            raise Ambiguous(f"{path} does not lead through the document in one way")

    def _within(self, holder: Any, name: str, *, make: bool) -> Any:
        """The object or array of that name, as a part that may be written to; ABSENT where the name does not lead to one."""
        key: Any = name
        if isinstance(holder, list):
            key = index(name)
            child = ABSENT if key is None or key >= len(holder) else holder[key]
        elif isinstance(holder, dict) and not self._begins_a_key(holder, name):
            child = self._made() if make and name not in holder else holder.get(name, ABSENT)
        else:
            return ABSENT
        if not isinstance(child, dict | list):
            return ABSENT
        holder[key] = child = child if id(child) in self._own else self.its_own(child.copy())
        return child

    def _put(self, holder: Any, name: str, new: Any) -> bool:
        if isinstance(holder, list):
            place = index(name)
            if place is None or place > len(holder) + PADDING_LIMIT or new is ABSENT:
                return False
            if (missing := place + 1 - len(holder)) > 0:
                self._spend(missing)
                holder += [None] * missing  # as MongoDB fills the gap before an element beyond the end
            holder[place] = new
        elif isinstance(holder, dict) and new is ABSENT:
            holder.pop(name, None)
        elif isinstance(holder, dict):
            holder[name] = new
        return isinstance(holder, dict | list)

    def _begins_a_key(self, holder: Document, name: str) -> bool:
        """Whether a key of this part begins with the name and a dot, so that the path may mean that field as well."""
        dotted = self._own[id(holder)]
        if dotted is None:
            dotted = self._own[id(holder)] = sorted(key for key in holder if "." in key)  # no write adds one or takes one away
        place = bisect_left(dotted, f"{name}.")
        return place < len(dotted) and dotted[place].startswith(f"{name}.")

    def _made(self) -> Document:
        self._spend(_AN_OBJECT)
        made: Document = self.its_own({})
        return made

    def _spend(self, elements: int) -> None:
        self._left -= elements
        if self._left < 0:
            raise Ambiguous(f"the update copies or fills more than {ELEMENTS_LIMIT} elements: no document holds so many")
