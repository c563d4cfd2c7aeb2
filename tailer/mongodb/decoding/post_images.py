"""
Corrects post-images, which the server computes from the pre-image and its oplog.

MongoDB 6.0 computes one case wrong: a field that an update moved within its document (``[{$unset: "a"}, {$set: {a: 2}}]``) is
in the post-image twice, first with its old value and last with its new one. The update description has the new value.
"""

from typing import Any

import msgspec
from bson.raw_bson import RawBSONDocument

from tailer.mongodb.decoding.duplicate_fields import has_duplicates
from tailer.mongodb.decoding.values import decode, decoding
from tailrace.questions.paths import found
from tailrace.wire.change import Document

_json = msgspec.json.Encoder().encode
_LAST_KEPT = decoding(dict)


def exact_post_image(document: Document, updated: Document, event: RawBSONDocument) -> Document | None:
    """
    The document just after the update, from the event's ``fullDocument`` as decoded and the ``updated`` fields. None if the two
    contradict each other.
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
