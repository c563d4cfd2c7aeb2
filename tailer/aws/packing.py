"""Packs the changes of one lane into as few SQS messages as the limits allow, in order."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from tailer.encoded import as_json, without_documents
from tailer.poison import PARK, OnPoison, stub_of
from tailer.ports import Claims
from tailrace.aws.calls import fitting
from tailrace.wire.change import Change
from tailrace.wire.message import (
    CHANGES_LIMIT,
    DECODED_LIMIT,
    MESSAGE_LIMIT,
    TooLarge,
    deduplication_id,
    encode_change,
    group_id,
    pack,
)

JSON_PER_MESSAGE = 524_288  # bytes before compression; below MESSAGE_LIMIT as base64 even if nothing compresses
ENTRIES_PER_CALL = 10  # SQS


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One entry for SQS. ``size`` is its share of the limit of a call, in bytes."""

    group_id: str
    deduplication_id: str
    body: str
    size: int
    changes: int
    claimed: int = 0
    stubs: Sequence[Change] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Packer:
    """Packs messages of one stream and generation."""

    stream: str
    generation: int
    claims: Claims | None = None
    on_poison: OnPoison = PARK

    def messages(self, lane: int, changes: Iterable[Change]) -> Iterator[Message]:
        """Yield the lane's changes as messages, in order."""
        encoded = ((change, as_json(change)) for change in changes)
        for group in fitting(encoded, size=lambda pair: len(pair[1]), count=CHANGES_LIMIT, limit=JSON_PER_MESSAGE):
            yield self._message(lane, [change for change, _ in group], [json for _, json in group])

    def _message(self, lane: int, changes: Sequence[Change], encoded: Sequence[bytes]) -> Message:
        try:
            body = pack(stream=self.stream, generation=self.generation, lane=lane, changes=encoded)
        except TooLarge as error:
            smaller = self._smaller(changes[0], encoded[0], error)
            return self._message(lane, [smaller], [encode_change(smaller)])
        return Message(
            group_id=group_id(self.stream, lane),
            deduplication_id=deduplication_id(
                stream=self.stream, generation=self.generation, lane=lane, ids=[change.id for change in changes]
            ),
            body=body,
            size=len(body) if body.isascii() else len(body.encode()),
            changes=len(changes),
            claimed=sum(change.claim is not None for change in changes),
            stubs=[change for change in changes if change.poison],
        )

    def _smaller(self, change: Change, encoded: bytes, error: TooLarge) -> Change:
        """The change with its documents in the claim bucket; if that is not possible its stub, which always fits."""
        if change.claim is None and self.claims is not None and len(encoded) <= DECODED_LIMIT:
            return self._claimed(change, encoded, self.claims)
        remedy = "" if self.claims else "; set TAILER_CLAIM_BUCKET and FORWARDER_CLAIM_BUCKET to send large changes through S3"
        return self.on_poison.instead(stub_of(change, f"it does not fit into an SQS message: {error}{remedy}"))

    def _claimed(self, change: Change, encoded: bytes, claims: Claims) -> Change:
        """Store the whole change, under the same key at every try, and return it without its documents."""
        digest = hashlib.sha256(encoded).hexdigest()
        claim = claims.store(f"{self.stream}/{self.generation}/{change.sequence}-{digest}.json", encoded)
        return replace(without_documents(change), claim=claim)


def calls(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Distribute messages of different lanes over calls: at most ten in a call, within its limit of bytes."""
    return fitting(messages, size=lambda message: message.size, count=ENTRIES_PER_CALL, limit=MESSAGE_LIMIT)
