"""
Fields that a document holds twice. The server allows it, and finds the first; drivers for applications write none.

The first is what is told, always. Whether there was a second costs half as much again as decoding, so not every event of a
large reply is looked through: what a collection holds is said once, and need not be found in the first document of a million.
"""

import logging
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from tailer.mongodb.decoding.values import decode, decoding
from tailrace.wire.change import Document, Namespace

ALWAYS = 20  # events of a batch that are looked through: it costs less than what a reply costs anyway
EVERY = 32  # of those behind them, one in so many: a hundredth of what a change costs
NAME_LIMIT = 80  # characters of a field's name in a log line
COLLECTIONS_LIMIT = 1_000  # that are remembered; of more nothing is said

log = logging.getLogger(__name__)


class DuplicateFields:
    """Looks through the events of one stream, in one thread."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._options = _noting(self._names)
        self._said: set[Namespace] = set()

    def looks_at(self, number: int) -> bool:
        """Whether the event with this number in its batch, from 0, is looked through."""
        return number < ALWAYS or number % EVERY == 0

    def decode(self, raw: bytes | memoryview) -> Document:
        """As ``bson_values.decode``; the names that come twice in one document are kept for ``report``."""
        self._names.clear()
        return decode(raw, self._options)

    def report(self, ns: Namespace, event: RawBSONDocument, *, stored: bool = True) -> None:
        """
        Say what the last ``decode`` found in this event, unless it was said of this collection. Where the event's document is
        not as stored (a post-image may have a field twice by itself), its pre-image must have one too.
        """
        if not self._names or ns in self._said or len(self._said) >= COLLECTIONS_LIMIT:
            return
        if not stored and event.get("operationType") == "update":
            before = event.get("fullDocumentBeforeChange")
            if before is None or not twice(before.raw):
                return
        self._said.add(ns)
        field = self._names[0][:NAME_LIMIT].encode("unicode_escape").decode()
        log.warning(
            "a document of %s has the field %s more than once. The change carries the first value, which is the value that the "
            "server's queries find. This is logged once per collection",
            ns,
            field,
            extra={"action": "duplicate_field", "collection": str(ns), "field": field},
        )


def twice(raw: bytes | memoryview) -> bool:
    """Whether a document, or one within it, holds a field twice."""
    names: list[str] = []
    decode(raw, _noting(names))
    return bool(names)


def _noting(names: list[str]) -> CodecOptions[Any]:
    """How to decode so that a name that comes twice in one document is noted."""

    class Noting(dict[str, Any]):
        __slots__ = ()

        def __setitem__(self, name: str, value: Any) -> None:
            if name in self:
                names.append(name)
            else:
                super().__setitem__(name, value)

    return decoding(Noting)
