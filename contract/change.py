"""One MongoDB change event as plain JSON values, with MongoDB's own field names on the wire."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

GAP = "gap"
"""The operation of the one change that no server sends: history was lost, and a person accepted it."""

Document = dict[str, Any]
"""A document of plain JSON values: text, numbers, booleans, null, lists and objects."""

_ABSENT = object()


class Namespace(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where it happened. ``coll`` is empty for what happened to a whole database."""

    db: str
    coll: str = ""

    def __str__(self) -> str:
        return f"{self.db}.{self.coll}" if self.coll else self.db


class UpdateDescription(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What an update set, removed and shortened, by dotted path."""

    updated_fields: Document = {}
    removed_fields: list[str] = []
    truncated_arrays: list[Document] = []


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


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """
    One committed change.

    ``id`` is the event's resume token text and ``sequence`` its number in its stream: both are the same however often
    the change is delivered. ``cluster_time`` is ``"seconds.increment"``, ``wall_time`` RFC 3339 in UTC where the server
    tells it. ``full_document`` is the document as the server looked it up: it may be newer than the change, or absent.
    With a ``claim``, the documents and the update description are left out here and stand in the claimed change.
    """

    id: str
    sequence: int
    operation_type: str
    ns: Namespace
    cluster_time: str
    document_key: Document = {}
    wall_time: str | None = None
    full_document: Document | None = None
    full_document_before_change: Document | None = None
    update_description: UpdateDescription | None = None
    txn: Transaction | None = None
    claim: Claim | None = None

    @property
    def occurred_at(self) -> datetime:
        """When it was committed, in UTC: to the millisecond where the server tells, else to the second."""
        if self.wall_time is not None:
            return datetime.fromisoformat(self.wall_time)
        return datetime.fromtimestamp(int(self.cluster_time.partition(".")[0]), tz=UTC)

    @property
    def document(self) -> str:
        """The document's name for people and for ordering, e.g. ``payments.payments/65f0…``."""
        key = self.document_key.get("_id", "")
        return f"{self.ns}/{key if isinstance(key, str) else canonical(key).decode()}"

    @property
    def created(self) -> bool:
        """Whether this change brought the document into being."""
        return self.operation_type == "insert"

    def became(self, field: str, value: Any) -> bool:
        """
        Whether this change is the one that gave ``field`` (a top-level field) this value.

        Judged by what the change itself set, never by the looked-up document, which may already be newer: an update
        counts when it set the field, an insert or replace when its document carries it. A pre-image, where there is
        one, rules out a value that was there before.
        """
        if self.operation_type == "update":
            described = self.update_description
            now = described.updated_fields.get(field, _ABSENT) if described else _ABSENT
        elif self.operation_type in ("insert", "replace"):
            now = (self.full_document or {}).get(field, _ABSENT)
        else:
            return False
        before = (self.full_document_before_change or {}).get(field, _ABSENT)
        return bool(now == value and before != value)


def canonical(value: Any) -> bytes:
    """The one JSON text of a value: keys sorted, no spaces. Equal values give equal bytes in every process."""
    return msgspec.json.encode(value, order="sorted")
