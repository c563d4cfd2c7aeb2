"""What becomes of a change that can never be delivered: a stub in its place, or the end of the stream."""

import hashlib
from collections.abc import Container
from dataclasses import dataclass, field
from shlex import quote

from msgspec.structs import replace

from tailer.change_ids import short
from tailer.errors import Misconfigured, Undeliverable
from tailer.poison.stub_log import StubLog, words
from tailer.ports import Claims
from tailrace.text.legible import legible
from tailrace.wire.change import Change, Claim, Document, Poison, canonical

KEY_LIMIT = 65_536  # bytes of JSON of a document key in a stub
REASON_LIMIT = 1_000  # characters


@dataclass(kw_only=True, slots=True, eq=False)
class OnPoison:
    """
    ``TAILER_ON_POISON`` of one stream, and the bucket where the events of stubs are kept as the server sent them.

    ``skipped`` are the changes that a person stepped over, by their short ids: they stop nothing. ``stubs`` are those
    that were sent.
    """

    stream: str = "STREAM"
    park: bool = True
    claims: Claims | None = None
    skipped: Container[str] = frozenset()
    stubs: StubLog = field(default_factory=StubLog)

    def instead(self, stub: Change, raw: bytes = b"", generation: int = 0) -> Change:
        """
        The stub to send, with its ``raw`` event in the bucket where there is one.

        Raises:
            Undeliverable: poison stops the stream; the message names the change and the ways out.
            Unavailable, Misconfigured: as ``Claims.store``.
        """
        if stub.poison is None or short(stub.id) in self.skipped:
            return stub
        if not self.park:
            raise Undeliverable(
                f"{words(stub)} cannot be delivered: {stub.poison.reason}. Nothing was skipped. The stream stops here, because "
                "TAILER_ON_POISON is stop. With park the tailer sends a stub instead, and the forwarder parks the stub. To "
                f"skip only this change: {self._skip(stub)}"
            )
        if self.claims is None or not raw:
            return stub
        try:
            claim = self._keep(self.claims, raw, generation, stub.sequence)
        except Misconfigured as error:
            raise Misconfigured(
                f"{error}. The tailer stores the raw event of {words(stub)} there, because that change cannot be delivered: "
                f"{stub.poison.reason}. To skip this change without storing it: {self._skip(stub)}"
            ) from error
        return replace(stub, poison=replace(stub.poison, raw=claim))

    def _keep(self, claims: Claims, raw: bytes, generation: int, sequence: int) -> Claim:
        """Under a name that its number and its content alone decide. No server sends above 16 MB, and S3 takes far more."""
        digest = hashlib.sha256(raw).hexdigest()
        return claims.store(f"{self.stream}/{generation}/{sequence}-{digest}.bson", raw)

    def _skip(self, stub: Change) -> str:
        return f"{skip_command(short(stub.id))} --stream {self.stream} --why REASON"


def skip_command(change: str) -> str:
    """How a person steps over the change with this short id, as it is typed."""
    return f"tailer checkpoint skip {quote(change)}"


PARK = OnPoison()  # with no bucket: for whoever looks at a stream


def poison(reason: str) -> Poison:
    """Poison for this reason, as a queue and a terminal take it."""
    return Poison(reason=legible(reason[:REASON_LIMIT])[:REASON_LIMIT])


def short_key(key: Document) -> Document:
    """The document key as plain JSON for a stub, which must fit into a message: nothing of a long one."""
    return key if len(canonical(key)) <= KEY_LIMIT else {}


def stub_of(change: Change, reason: str) -> Change:
    """The stub of a change that could be read and cannot be sent."""
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
