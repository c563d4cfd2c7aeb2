"""
Builds changes as MongoDB and DocumentDB report them.

The event of the server is built in BSON, and decoded, named and written as JSON by the tailer's own code. The forwarder's code
reads it. ``tests/tailrace/testing/test_conformance.py`` holds the events against those of a real server.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import bson
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

from tailer.mongodb.events.change_events import change_from_event
from tailer.mongodb.watch import Watch
from tailrace.change import Change
from tailrace.message import read_change
from tailrace.testing.moments import Moment, Moments
from tailrace.testing.writes import Document, write
from tailrace.wire.message import encode_change

Lookup = Literal["default", "updateLookup", "whenAvailable", "required"]
Image = Literal["off", "whenAvailable", "required"]

SAME: Document = {"": "the document just after the change"}


class ChangeStream:
    """
    Builds the changes of one collection. Documents are as an application writes them, with values of ``bson``. Changes are
    numbered from 1, and a change is a second after the one before it, unless it says ``at``.

    Make one with ``mongodb`` or ``documentdb``.
    """

    def __init__(self, collection: str, lookup: Lookup, before: Image, *, wall_time: bool, described: bool) -> None:
        database, dot, name = collection.partition(".")
        if not database or not dot or not name:
            raise ValueError(f"{collection!r} is not database.collection")
        self._ns = {"db": database, "coll": name}
        self._watch = Watch(database=database, collections=(name,), full_document=lookup, full_document_before_change=before)
        self._mongodb = wall_time
        self._described = described
        self._moments = Moments()

    def insert(self, document: Document, *, at: datetime | None = None) -> Change:
        """The document was inserted."""
        return self._change("insert", document, at, {"fullDocument": document})

    def update(
        self,
        before: Document,
        set: Document | None = None,  # noqa: A002 - MongoDB's name
        unset: Iterable[str] = (),
        *,
        looked_up: Document | None = SAME,
        at: datetime | None = None,
    ) -> Change:
        """
        Fields of this document were set and others removed, by dotted path. For another operator say what it set: ``$inc`` sets
        the sum, ``$push`` sets ``items.2``.

        ``looked_up`` is what an updateLookup found, if that is not the document just after the change: a later state, or None
        if the document was deleted.

        Raises:
            ValueError: the server would refuse the update, or it changes nothing, and the server sends no event.
        """
        after, updated, removed = write(before, set or {}, unset)
        _check_id(before, after)
        shown: dict[str, Any] = {"fullDocument": after if looked_up is SAME or self._watch.post_images else looked_up}
        if self._watch.document_of_updates == "default":
            shown = {}
        if self._described:
            shown["updateDescription"] = {"updatedFields": updated, "removedFields": removed}
        return self._change("update", before, at, shown, before)

    def replace(self, before: Document, after: Document, *, at: datetime | None = None) -> Change:
        """The whole document was replaced. Its ``_id`` stays."""
        replaced = {"_id": before.get("_id")} | dict(after)
        _check_id(before, replaced)
        return self._change("replace", before, at, {"fullDocument": replaced}, before)

    def delete(self, before: Document, *, at: datetime | None = None) -> Change:
        """The document was deleted."""
        return self._change("delete", before, at, {}, before)

    def _change(
        self, operation: str, document: Document, at: datetime | None, shown: Document, before: Document | None = None
    ) -> Change:
        if "_id" not in document:
            raise ValueError("the document has no _id")
        moment = self._moments.next(at)
        event = {
            "_id": {"_data": self._token(moment)},
            "operationType": operation,
            "clusterTime": Timestamp(moment.seconds, moment.number),
            "ns": self._ns,
            "documentKey": {"_id": document["_id"]},
            **({"wallTime": moment.time} if self._mongodb else {}),
            **shown,
            **({"fullDocumentBeforeChange": before} if self._watch.full_document_before_change != "off" else {}),
        }
        raw = RawBSONDocument(bson.encode(event))
        change = change_from_event(raw, moment.number, post_image=self._watch.post_images)
        return read_change(encode_change(change))

    def _token(self, moment: Moment) -> str:
        begin, middle = ("82", "") if self._mongodb else ("01", "01")
        return f"{begin}{moment.seconds:08X}{moment.number:08X}{middle}{moment.digest(str(self._ns))}"


def _check_id(before: Document, after: Document) -> None:
    if before.get("_id") != after.get("_id"):
        raise ValueError("the _id of a document never changes: the server refuses the write")


def mongodb(
    collection: str, *, full_document: Lookup = "updateLookup", full_document_before_change: Image = "off"
) -> ChangeStream:
    """
    Build changes of ``database.collection`` as MongoDB reports them. The options are the settings of the stream, with their
    defaults: with ``full_document_before_change="required"`` changes have pre- and post-images.
    """
    return ChangeStream(collection, full_document, full_document_before_change, wall_time=True, described=True)


def documentdb(
    collection: str, *, full_document: Literal["default", "updateLookup"] = "updateLookup", described: bool = True
) -> ChangeStream:
    """
    Build changes of ``database.collection`` as Amazon DocumentDB reports them: without images, and with the time in whole
    seconds. AWS documents the update description; with ``described=False`` updates have none, as was seen on engine 5.0.
    """
    return ChangeStream(collection, full_document, "off", wall_time=False, described=described)
