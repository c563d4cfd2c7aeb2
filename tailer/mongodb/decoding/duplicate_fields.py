"""
Finds fields that a document contains twice. A server allows it and finds the first one; drivers for applications write none.

A change always carries the first value. The search for a second one costs half as much as decoding, so not every event of a
large reply is searched. One log line per collection is enough, and may come later than the first such document.
"""

import logging
from typing import Any

import msgspec
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from tailer.mongodb.decoding.values import decode, decoding
from tailrace.questions.paths import found
from tailrace.wire.change import Document, Namespace

ALWAYS = 20  # events of a batch that are always searched: this costs less than a reply costs anyway
EVERY = 32  # of the events after them, one in so many is searched: this is a hundredth of the cost of a change
NAME_LIMIT = 80  # characters of a field's name in a log line
COLLECTIONS_LIMIT = 1_000  # collections that are remembered; for more nothing is logged

log = logging.getLogger(__name__)
_json = msgspec.json.Encoder().encode
_LAST_KEPT = decoding(dict)


def is_searched(number: int) -> bool:
    """Whether the event with this number in its batch, from 0, is searched."""
    return number < ALWAYS or number % EVERY == 0


def has_duplicates(raw: bytes | memoryview) -> bool:
    """Whether a document, or a document inside it, contains a field twice."""
    names: list[str] = []
    decode(raw, _collecting(names))
    return bool(names)


class DuplicateFields:
    """Searches the events of one stream, in one thread."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._options = _collecting(self._names)
        self._logged: set[Namespace] = set()

    def decode(self, raw: bytes | memoryview) -> Document:
        """As ``values.decode``. The names of duplicate fields are kept for ``log``."""
        self._names.clear()
        return decode(raw, self._options)

    def log(self, ns: Namespace, event: RawBSONDocument, *, stored: bool = True) -> None:
        """
        Log what the last ``decode`` found in this event, once per collection. ``stored``: the event's document is as stored. A
        post-image may have a field twice although the stored document does not, so its pre-image must have one too.
        """
        if not self._names or ns in self._logged or len(self._logged) >= COLLECTIONS_LIMIT:
            return
        if not stored and event.get("operationType") == "update":
            before = event.get("fullDocumentBeforeChange")
            if before is None or not has_duplicates(before.raw):
                return
        self._logged.add(ns)
        field = self._names[0][:NAME_LIMIT].encode("unicode_escape").decode()
        log.warning(
            "a document of %s has the field %s more than once. The change carries the first value, which is the value that the "
            "server's queries find. This is logged once per collection",
            ns,
            field,
            extra={"action": "duplicate_field", "collection": str(ns), "field": field},
        )


def _collecting(names: list[str]) -> CodecOptions[Any]:
    """Options to decode with that add the name of each duplicate field to ``names``."""

    class Collecting(dict[str, Any]):
        __slots__ = ()

        def __setitem__(self, name: str, value: Any) -> None:
            if name in self:
                names.append(name)
            else:
                super().__setitem__(name, value)

    return decoding(Collecting)


def exact_post_image(document: Document, updated: Document, event: RawBSONDocument) -> Document | None:
    """
    The document just after the update, from the event's ``fullDocument`` as decoded and the ``updated`` fields. None if the two
    contradict each other.

    The server computes a post-image from the pre-image and its oplog, and MongoDB 6.0 computes one case wrong: a field that an
    update moved within its document (``[{$unset: "a"}, {$set: {a: 2}}]``) is in the post-image twice, first with its old value
    and last with its new one.
    """
    if all(_has(document, path, value) for path, value in updated.items()):
        return document
    raw = event["fullDocument"].raw
    if not has_duplicates(raw):
        return document
    last = decode(raw, _LAST_KEPT)
    return last if all(_may_have(last, path, value) for path, value in updated.items()) else None


def _has(document: Document, path: str, value: Any) -> bool:
    places = found(document, path)
    return len(places) == 1 and _may_have(document, path, value)


def _may_have(document: Document, path: str, value: Any) -> bool:
    return any(_json(place) == _json(value) for place in found(document, path).values())
