"""A change as JSON. Until it is sent, memory holds only this JSON: decoded documents take many times as much."""

from collections.abc import Callable

import msgspec

from tailer.errors import Undeliverable
from tailer.poison import OnPoison, stub_of
from tailrace.wire.change import Change
from tailrace.wire.message import encode_change

_DOCUMENTS = ("full_document", "full_document_before_change", "update_description")
_HEAD = 2_000  # bytes of a change without its documents
_COPIES = 3  # of its JSON while it is packed and stored: in the batch, in the array of a message, and in the call to S3
_KEY = 30  # times its JSON: a document key that is not just text, because it stays decoded


class Encoded(Change, frozen=True, kw_only=True):
    """
    A change without its documents. ``json`` is the whole change as it is sent, ``lane`` its lane, and ``size`` an upper bound
    of the bytes of memory that it takes until it is sent.
    """

    json: bytes
    lane: int
    size: int


def encoder(lane_of: Callable[[Change], int], on_poison: OnPoison) -> Callable[[Change], Encoded]:
    """
    Return a function that encodes a change. A change that has no lane or cannot be written as JSON becomes its stub, or stops
    the stream.
    """

    def encoded(change: Change) -> Encoded:
        if isinstance(change, Encoded):
            return change
        try:
            return _encoded(change, lane_of(change))
        except Undeliverable as error:
            reason = str(error)
        except (RecursionError, TypeError, ValueError) as error:  # never seen: every decoded value is JSON
            reason = f"it cannot be written as JSON: {error}"
        stub = on_poison.instead(stub_of(change, reason))
        return _encoded(stub, lane_of(stub))

    return encoded


def _encoded(change: Change, lane: int) -> Encoded:
    json = encode_change(change)
    key = _KEY * len(msgspec.json.encode(change.document_key)) if change.document_name else 0
    return Encoded(  # each field by itself: three times as fast as a dict of them
        id=change.id,
        sequence=change.sequence,
        operation_type=change.operation_type,
        ns=change.ns,
        cluster_time=change.cluster_time,
        document_key=change.document_key,
        document_name=change.document_name,
        wall_time=change.wall_time,
        txn=change.txn,
        claim=change.claim,
        to=change.to,
        post_image=change.post_image,
        poison=change.poison,
        json=json,
        lane=lane,
        size=_HEAD + key + _COPIES * len(json),
    )


def as_json(change: Change) -> bytes:
    return change.json if isinstance(change, Encoded) else encode_change(change)


def without_documents(change: Change) -> Change:
    """The change with all other fields, not encoded."""
    kept = (name for name in Change.__struct_fields__ if name not in _DOCUMENTS)
    return Change(**{name: getattr(change, name) for name in kept})
