"""One MongoDB change event as plain JSON values, with MongoDB's own field names on the wire."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from tailrace.wire import identity

Document = dict[str, Any]
"""A document of plain JSON values: text, numbers, booleans, null, lists and objects."""

GAP = "gap"
"""The operation of a change that the tailer itself sends after history was lost and a person accepted the gap."""

UNKNOWN_TIME = "0.0"
"""The cluster time of a stub whose event has no cluster time that the tailer can read."""


class Namespace(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The database and collection of a change. ``coll`` is empty for a change of a whole database."""

    db: str
    coll: str = ""

    def __str__(self) -> str:
        return f"{self.db}.{self.coll}" if self.coll else self.db


class UpdateDescription(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """
    The fields that an update set and removed, and the arrays that it shortened, by dotted path.

    ``disambiguated_paths`` (MongoDB 8.2) lists the names in each path in which a name contains a dot or a number; None if the
    server does not send it.
    """

    updated_fields: Document = {}
    removed_fields: list[str] = []
    truncated_arrays: list[Document] = []
    disambiguated_paths: dict[str, list[str | int]] | None = None


class Transaction(Struct, frozen=True, kw_only=True, rename="camel"):
    """The transaction of a change. All changes of one transaction have the same."""

    lsid: str
    txn_number: int


class Claim(Struct, frozen=True, kw_only=True):
    """
    The address of JSON in S3 that was too large for a message or an event.

    ``bytes`` and ``sha256`` (hex) are the size and the digest of the object. A reader verifies both.
    """

    bucket: str
    key: str
    bytes: int
    sha256: str


class Poison(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    The reason why a change is sent as a stub, without its documents: the tailer could not read it, or has too little memory.

    ``raw`` is the address of the original event, in BSON. It is None if the tailer has no claim bucket, or if the server could
    not send the event.
    """

    reason: str
    raw: Claim | None = None


class Value(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """
    The value of a field: an array of one value, or an empty array if the document does not have the field.

    ``looked_up``: the value is from a looked-up document, which may be newer than the change.
    """

    value: list[Any]
    looked_up: bool = False


class Remembered(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the forwarder knows of a field just before and just after a change; None if a value is unknown."""

    was: Value | None = None
    now: Value | None = None


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """
    One committed change.

    ``id`` is the event's resume token as text and ``sequence`` its number in its stream. Both stay the same however often the
    change is delivered. ``cluster_time`` is ``"seconds.increment"``, ``wall_time`` RFC 3339 in UTC, if the server sends it.
    ``full_document`` is the document as the server looked it up: it may be newer than the change, or absent. With
    ``post_image`` it is the document right after the change, as the server stored it.
    ``to`` is the new name of a renamed collection. With a ``claim``, the documents and the update description are in the
    claimed object and not here. ``document_name`` (``document`` on the wire) is the name of the document if the name cannot be
    derived from the plain JSON of its key; read the property ``document``. With ``poison`` the change is a stub: the forwarder
    parks it, and no mapper sees it. ``remembered`` has the fields that mappers declare with ``remembers``, by path: the
    forwarder fills it, and a parked change keeps it.
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
    remembered: dict[str, Remembered] = {}

    @property
    def occurred_at(self) -> datetime:
        """The commit time, in UTC: with milliseconds if the server sends them, else in whole seconds."""
        if self.wall_time is not None:
            return datetime.fromisoformat(self.wall_time)
        return datetime.fromtimestamp(int(self.cluster_time.partition(".")[0]), tz=UTC)

    @property
    def document(self) -> str:
        """The name of the document, for people, lanes and message groups: ``payments.payments/65f0…``. See ``identity``."""
        if self.document_name:
            return self.document_name
        key = self.document_key.get("_id", "")
        return identity.name(self.ns.db, self.ns.coll, key if isinstance(key, str) else canonical(key).decode())


def canonical(value: Any) -> bytes:
    """Encode a value as canonical JSON: keys sorted, no spaces. Equal values give equal bytes in every process."""
    return msgspec.json.encode(value, order="sorted")
