"""Events that are too large for the bus: their data goes to the claim bucket, and the event contains a claim instead."""

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Claims, Published, Publisher, TimeLeft
from lambda_forwarder.publishing.limits import too_large
from tailrace.wire.change import Claim


class _Detail(Struct, frozen=True):
    metadata: Raw
    data: Raw


class _ClaimDetail(Struct, frozen=True):
    metadata: Raw
    claim: Claim


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Detail).decode


class LargePublisher:
    """Publishes through another publisher. An event that is too large contains a claim instead of its ``data``."""

    def __init__(self, publisher: Publisher, claims: Claims) -> None:
        self._publisher = publisher
        self._claims = claims

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        """See ``Publisher``. The data is stored before the first event is published."""
        return self._publisher.publish([self._fitting(entry, time_left) for entry in entries], time_left)

    def _fitting(self, entry: Entry, time_left: TimeLeft) -> Entry:
        if not too_large(entry):
            return entry
        deadline.check(time_left, "an event too large for the bus was stored")
        detail = _decode(entry.detail)
        claim = self._claims.store(key(entry, bytes(detail.data)), bytes(detail.data))
        return replace(entry, detail=_encode(_ClaimDetail(detail.metadata, claim)))


def key(entry: Entry, data: bytes) -> str:
    """
    The key of an event's data, a function of both. A repeat of the event stores the same object again. Other data of the event,
    from a mapper that was changed, does not replace the object that consumers have a claim to.
    """
    return f"events/{entry.detail_type}/{entry.id}-{hashlib.sha256(data).hexdigest()[:16]}.json"
