"""Changes of one lane into as few SQS messages as the limits allow, in order."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from tailer.errors import Rejected
from tailer.ports import Claims
from tailrace.wire.change import Change
from tailrace.wire.message import DECODED_LIMIT, MESSAGE_LIMIT, TooLarge, deduplication_id, encode_change, group_id, pack

CHANGES_PER_MESSAGE = 500  # so that one message is mapped and published well within a Lambda's time
JSON_PER_MESSAGE = 524_288  # bytes before compression; even if nothing compresses, base64 keeps it under MESSAGE_LIMIT
ENTRIES_PER_CALL = 10  # SQS


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One entry for SQS. ``size`` is what it counts against the limit of a call, in bytes."""

    group_id: str
    deduplication_id: str
    body: str
    size: int
    changes: int
    claimed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Packer:
    """Knows which stream and generation the messages belong to."""

    stream: str
    generation: int
    claims: Claims | None = None

    def messages(self, lane: int, changes: Iterable[Change]) -> Iterator[Message]:
        """
        The lane's changes in order, packed.

        Raises:
            Rejected: a single change does not fit into a message, and there is nowhere to leave it.
        """
        run: list[Change] = []
        encoded: list[bytes] = []
        size = 0
        for change in changes:
            part = encode_change(change)
            if run and (len(run) == CHANGES_PER_MESSAGE or size + len(part) > JSON_PER_MESSAGE):
                yield self._message(lane, run, encoded)
                run, encoded, size = [], [], 0
            run.append(change)
            encoded.append(part)
            size += len(part)
        if run:
            yield self._message(lane, run, encoded)

    def _message(self, lane: int, changes: Sequence[Change], encoded: Sequence[bytes]) -> Message:
        try:
            body = pack(stream=self.stream, generation=self.generation, lane=lane, changes=encoded)
        except TooLarge as error:
            change = changes[0]
            if change.claim is None and self.claims is not None and len(encoded[0]) <= DECODED_LIMIT:
                claimed = self._claimed(change, encoded[0], self.claims)
                return self._message(lane, [claimed], [encode_change(claimed)])
            raise Rejected(
                f"the {change.operation_type} of {change.document} (change {change.id}) does not fit into an SQS message: "
                f"{error}. Nothing was skipped; the stream stops here. Set TAILER_CLAIM_BUCKET and FORWARDER_CLAIM_BUCKET "
                "to send such changes through S3"
            ) from error
        return Message(
            group_id=group_id(self.stream, lane),
            deduplication_id=deduplication_id(
                stream=self.stream, generation=self.generation, lane=lane, ids=[change.id for change in changes]
            ),
            body=body,
            size=len(body) if body.isascii() else len(body.encode()),
            changes=len(changes),
            claimed=sum(change.claim is not None for change in changes),
        )

    def _claimed(self, change: Change, encoded: bytes, claims: Claims) -> Change:
        """The change with what makes it large left in the claim store, under a name that its content alone decides."""
        digest = hashlib.sha256(encoded).hexdigest()
        claim = claims.store(f"{self.stream}/{self.generation}/{change.sequence}-{digest}.json", encoded)
        return replace(change, full_document=None, full_document_before_change=None, update_description=None, claim=claim)


def calls(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Messages of different lanes into calls: at most ten, and together within the limit of a call."""
    call: list[Message] = []
    size = 0
    for message in messages:
        if call and (len(call) == ENTRIES_PER_CALL or size + message.size > MESSAGE_LIMIT):
            yield call
            call, size = [], 0
        call.append(message)
        size += message.size
    if call:
        yield call
