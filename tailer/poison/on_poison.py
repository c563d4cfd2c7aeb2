"""A change that can never be delivered is replaced by a stub, or stops the stream, as ``TAILER_ON_POISON`` says."""

import hashlib
from collections.abc import Container
from dataclasses import dataclass, field
from shlex import quote

from msgspec.structs import replace

from tailer.change_ids import short
from tailer.errors import Misconfigured, Undeliverable
from tailer.poison.stub_log import StubLog, subject
from tailer.ports import Claims
from tailrace.text.legible import legible
from tailrace.wire.change import Change, Claim, Document, Poison, canonical

KEY_LIMIT = 65_536  # bytes of JSON of a document key in a stub
REASON_LIMIT = 1_000  # characters


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
