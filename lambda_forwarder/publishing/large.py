"""Events too large for the bus: their data is stored, and the event carries a claim in its place."""

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Claims, Published, Publisher, TimeLeft
from lambda_forwarder.publishing.eventbridge import too_large
from tailrace.wire.change import Claim


class _Detail(Struct, frozen=True):
    metadata: Raw
    data: Raw


class _Claiming(Struct, frozen=True):
    metadata: Raw
    claim: Claim


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Detail).decode


class LargePublisher:
    """Publishes through another publisher. What is too large for any call goes as a claim to its ``data``."""

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
        return replace(entry, detail=_encode(_Claiming(detail.metadata, claim)))


def key(entry: Entry, data: bytes) -> str:
    """
    Where the data of an event lies: a function of event and data. A repeat finds it there; other data, from a mapper that was
    changed, never takes the place of what a consumer was told to fetch.
    """
    return f"events/{entry.detail_type}/{entry.id}-{hashlib.sha256(data).hexdigest()[:16]}.json"
