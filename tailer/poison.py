"""A change that can never be delivered is replaced by a stub, or stops the stream, as ``TAILER_ON_POISON`` says."""

import hashlib
import logging
from collections.abc import Container
from dataclasses import dataclass, field
from shlex import quote

from msgspec.structs import replace

from tailer.errors import Misconfigured, Undeliverable
from tailer.ports import Claims
from tailer.resume_tokens import short
from tailrace.text.legible import legible
from tailrace.wire.change import Change, Claim, Document, Poison, canonical

UNKNOWN = "unknown"  # the operation of a change that the server cannot send at all
KEY_LIMIT = 65_536  # bytes of JSON of a document key in a stub
REASON_LIMIT = 1_000  # characters
ALWAYS = 100  # stubs of one task and stream that each get a line in the log
EVERY = 100  # of the stubs after them, one in so many gets a line

log = logging.getLogger(__name__)


class StubLog:
    """The stubs of one stream that this task sent: their ``count``, and a description of the ``last``."""

    def __init__(self) -> None:
        self.count = 0
        self.last = ""

    def sent(self, stream: str, stub: Change) -> None:
        """The queue accepted the stub."""
        reason = stub.poison.reason if stub.poison else ""
        self.count += 1
        self.last = f"number {stub.sequence}, {stub.document}: {reason}"
        if self.count > ALWAYS and self.count % EVERY:
            return
        log.warning(
            "%s cannot be delivered: %s. A stub was sent instead, and the forwarder parks the stub. The stream continues%s",
            *(subject(stub), reason),
            "" if self.count < ALWAYS else f". From here on one stub in {EVERY} is logged",
            extra={"action": "stubbed", "stream": stream, "change": short(stub.id), "sequence": stub.sequence},
        )


def subject(stub: Change) -> str:
    """The operation, the document and the short id of a stub's change, as the subject of a sentence."""
    operation = stub.operation_type if stub.operation_type not in ("", UNKNOWN) else "change"
    return f"the {operation} of {stub.document} (change {short(stub.id)})"


@dataclass(kw_only=True, slots=True, eq=False)
class OnPoison:
    """
    The setting of one stream. ``claims`` stores the raw events of stubs, as the server sent them. ``skipped`` has the short ids
    of changes that a person skipped: they do not stop the stream. ``stubs`` counts and logs the stubs that were sent.
    """

    stream: str = "STREAM"
    park: bool = True
    claims: Claims | None = None
    skipped: Container[str] = frozenset()
    stubs: StubLog = field(default_factory=StubLog)

    def instead(self, stub: Change, raw: bytes = b"", generation: int = 0) -> Change:
        """
        Return the stub to send, or raise ``Undeliverable`` if TAILER_ON_POISON is stop. Its ``raw`` event is stored in the
        claim bucket, if there is one.
        """
        if stub.poison is None or short(stub.id) in self.skipped:
            return stub
        if not self.park:
            raise Undeliverable(
                f"{subject(stub)} cannot be delivered: {stub.poison.reason}. Nothing was skipped. The stream stops here, "
                "because TAILER_ON_POISON is stop. With park the tailer sends a stub, and the forwarder parks the stub. "
                f"To skip only this change: {self._skip(stub)}"
            )
        if self.claims is None or not raw:
            return stub
        try:
            claim = self._store(self.claims, raw, generation, stub.sequence)
        except Misconfigured as error:
            raise Misconfigured(
                f"{error}. The tailer stores the raw event of {subject(stub)} there, because that change cannot be "
                f"delivered: {stub.poison.reason}. To skip this change without storing it: {self._skip(stub)}"
            ) from error
        return replace(stub, poison=replace(stub.poison, raw=claim))

    def _store(self, claims: Claims, raw: bytes, generation: int, sequence: int) -> Claim:
        """Store the raw event, under the same key at every try. S3 accepts far more than the 16 MB of a server's reply."""
        digest = hashlib.sha256(raw).hexdigest()
        return claims.store(f"{self.stream}/{generation}/{sequence}-{digest}.bson", raw)

    def _skip(self, stub: Change) -> str:
        return f"{skip_command(short(stub.id))} --stream {self.stream} --why REASON"


def skip_command(change: str) -> str:
    """The command line that skips the change with this short id."""
    return f"tailer checkpoint skip {quote(change)}"


PARK = OnPoison()  # without a bucket: for commands that read a stream and send nothing


def poison(reason: str) -> Poison:
    """Poison with this reason, shortened, and without characters that a terminal would interpret."""
    return Poison(reason=legible(reason[:REASON_LIMIT])[:REASON_LIMIT])


def short_key(key: Document) -> Document:
    """The document key, empty if it is too long: a stub must fit into a message."""
    return key if len(canonical(key)) <= KEY_LIMIT else {}


def stub_of(change: Change, reason: str) -> Change:
    """The stub of a change that could be decoded but cannot be sent."""
    return Change(
        id=change.id,
        sequence=change.sequence,
        operation_type=change.operation_type,
        ns=change.ns,
        cluster_time=change.cluster_time,
        document_key=short_key(change.document_key),
        document_name=change.document,
        wall_time=change.wall_time,
        to=change.to,
        poison=poison(reason),
    )
