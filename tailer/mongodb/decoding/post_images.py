"""
Post-images, as the server works them out from the pre-image and its oplog.

MongoDB 6.0 gets one case wrong: a field that an update moved within its document (``[{$unset: "a"}, {$set: {a: 2}}]``) is in
the post-image twice, first as it was and last as it is. The description of the update says what it is.
"""

from typing import Any

import msgspec
from bson.raw_bson import RawBSONDocument

from tailer.mongodb.decoding.duplicate_fields import twice
from tailer.mongodb.decoding.values import decode, decoding
from tailrace.questions.paths import found
from tailrace.wire.change import Document

_exact = msgspec.json.Encoder().encode
_LAST_KEPT = decoding(dict)


def checked(document: Document, updated: Document, event: RawBSONDocument) -> Document | None:
    """
    The document just after the update, from the event's ``fullDocument`` as decoded and what the update set; None where the
    two disagree.
    """
    if all(_is_there(document, path, value) for path, value in updated.items()):
        return document
    raw = event["fullDocument"].raw
    if not twice(raw):
        return document
    last = decode(raw, _LAST_KEPT)
    return last if all(_may_be_there(last, path, value) for path, value in updated.items()) else None


def _is_there(document: Document, path: str, value: Any) -> bool:
    places = found(document, path)
    return len(places) == 1 and all(_exact(one) == _exact(value) for one in places.values())


def _may_be_there(document: Document, path: str, value: Any) -> bool:
    return any(_exact(one) == _exact(value) for one in found(document, path).values())
