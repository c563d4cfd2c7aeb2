"""One MongoDB change event as plain JSON values, with MongoDB's own field names on the wire."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from tailrace.wire import identity

Document = dict[str, Any]
"""A document of plain JSON values: text, numbers, booleans, null, lists and objects."""

GAP = "gap"
"""The operation of the one change that no server sends: history was lost, and a person accepted it."""


class Namespace(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where it happened. ``coll`` is empty for what happened to a whole database."""

    db: str
    coll: str = ""

    def __str__(self) -> str:
        return f"{self.db}.{self.coll}" if self.coll else self.db


class UpdateDescription(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """
    What an update set, removed and shortened, by dotted path.

    ``disambiguated_paths`` (MongoDB 8.2) has the names that a path is made of, for each path that holds a dot or a number in a
    name; None where the server does not say.
    """

    updated_fields: Document = {}
    removed_fields: list[str] = []
    truncated_arrays: list[Document] = []
    disambiguated_paths: dict[str, list[str | int]] | None = None


class Transaction(Struct, frozen=True, kw_only=True, rename="camel"):
    """The transaction a change was committed in: equal for all its changes."""

    lsid: str
    txn_number: int


class Claim(Struct, frozen=True, kw_only=True):
    """
    Where the whole change lies that was too large for a message: its JSON, in S3.

    ``bytes`` and ``sha256`` (hex) are of the object as stored; a reader checks both before it believes it.
    """

    bucket: str
    key: str
    bytes: int
    sha256: str


class Poison(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    Why a change travels as a stub, without its documents: the tailer could not read it, or would have needed too much memory.

    ``reason`` is a sentence for people. ``raw`` is where the event lies as the server sent it, in BSON; None where the tailer
    has no claim bucket, or the server could not send the event either.
    """

    reason: str
    raw: Claim | None = None


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """
    One committed change.

    ``id`` is the event's resume token text and ``sequence`` its number in its stream: both are the same however often
    the change is delivered. ``cluster_time`` is ``"seconds.increment"``, ``wall_time`` RFC 3339 in UTC where the server
    tells it. ``full_document`` is the document as the server looked it up: it may be newer than the change, or absent. With
    ``post_image`` it is the document just after the change, as the server kept it.
    ``to`` is where a rename moved the collection. With a ``claim``, the documents and the update description are left out
    here and stand in the claimed change. ``told_document`` (``document`` on the wire) is the name of the document where its
    key's plain JSON does not make it: ask ``document``. With ``poison`` it is a stub, which no mapper sees: the forwarder parks
    it.
    """

    id: str
    sequence: int
    operation_type: str
    ns: Namespace
    cluster_time: str
    document_key: Document = {}
    document_name: str = msgspec.field(default="", name="document")
    wall_time: str | None = None
    full_document: Document | None = None
    full_document_before_change: Document | None = None
    update_description: UpdateDescription | None = None
    txn: Transaction | None = None
    claim: Claim | None = None
    to: Namespace | None = None
    post_image: bool = False
    poison: Poison | None = None

    @property
    def occurred_at(self) -> datetime:
        """When it was committed, in UTC: to the millisecond where the server tells, else to the second."""
        if self.wall_time is not None:
            return datetime.fromisoformat(self.wall_time)
        return datetime.fromtimestamp(int(self.cluster_time.partition(".")[0]), tz=UTC)

    @property
    def document(self) -> str:
        """The document's one name, for people, lanes and groups: ``payments.payments/65f0…``. See ``identity``."""
        if self.document_name:
            return self.document_name
        key = self.document_key.get("_id", "")
        return identity.name(self.ns.db, self.ns.coll, key if isinstance(key, str) else canonical(key).decode())


def canonical(value: Any) -> bytes:
    """The one JSON text of a value: keys sorted, no spaces. Equal values give equal bytes in every process."""
    return msgspec.json.encode(value, order="sorted")
