"""
Converts the record of a DynamoDB stream to a Change, for the same questions, mappers and events as a document's change.

``ns`` is ``dynamodb`` and the table's name, which is the key in a mapper table. ``_id`` is the value of the partition key, or
an object of both keys if there is a sort key.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from lambda_forwarder.dynamodb.expiry import DATABASE, EXPIRED
from lambda_forwarder.dynamodb.instants import Instant, instant
from lambda_forwarder.dynamodb.values import Image, item, key_text
from lambda_forwarder.errors import Misconfigured
from tailrace.change import Change
from tailrace.message import ChangeMessage
from tailrace.questions.paths import ABSENT, same
from tailrace.wire import identity
from tailrace.wire.change import Document, Namespace, UpdateDescription
from tailrace.wire.message import UnreadableMessage

VIEW = "NEW_AND_OLD_IMAGES"
LANE = 0  # the stream's shards keep the order, so it has no lanes
DIGITS = 10**15  # of a SequenceNumber that are ``sequence``; a double holds them exactly
GENERATIONS = 2**63 - 1  # the largest number that a bus reads
TTL = {"type": "Service", "principalid": "dynamodb.amazonaws.com"}  # who deletes an item whose time to live is over


class _Image(Struct, frozen=True, rename="pascal"):
    keys: dict[str, dict[str, Any]]
    sequence_number: Annotated[str, Meta(pattern="^[0-9]{1,40}$")]
    approximate_creation_date_time: Any = None
    stream_view_type: str | None = None
    new_image: dict[str, dict[str, Any]] | None = None
    old_image: dict[str, dict[str, Any]] | None = None


class _Record(Struct, frozen=True):
    event_name: Literal["INSERT", "MODIFY", "REMOVE"] = msgspec.field(name="eventName")
    source_arn: str = msgspec.field(name="eventSourceARN")
    dynamodb: _Image
    event_id: str | None = msgspec.field(name="eventID", default=None)
    user: Any = msgspec.field(name="userIdentity", default=None)

    @property
    def table(self) -> str:
        """The name of the table."""
        if name := self.source_arn.partition(":table/")[2].partition("/")[0]:
            return name
        raise ValueError(f"eventSourceARN is {self.source_arn[:200]!r}, which names no table")

    @property
    def change_id(self) -> str:
        """The id of the change. It shows whether the item's time to live was over."""
        user = {str(name).lower(): value for name, value in self.user.items()} if isinstance(self.user, dict) else {}
        own = self.event_id or f"{self.source_arn}/{self.dynamodb.sequence_number}"
        return own + (EXPIRED if TTL.items() <= user.items() else "")


def read(record: dict[str, Any], arrived: float) -> ChangeMessage:
    """
    Return the record as a message of one change. The stream is called ``dynamodb.TABLE``. ``arrived``, in seconds since 1970,
    is the time of the change if the record has none.

    (generation, sequence) is the SequenceNumber, cut in two because it is longer than any JSON number: together they order the
    changes of an item, and mean nothing else. (A shard's numbers are above those of its parent; AWS does not promise it.) A
    number of more than 33 of the 40 possible digits has no order beyond its batch.

    Raises:
        UnreadableMessage: it is not the record of a DynamoDB stream.
        Misconfigured: the stream does not show both images.
    """
    try:
        msgspec.json.encode(record)  # raises for a lone surrogate, which no event can hold
        read = msgspec.convert(record, _Record)
        generation, sequence = divmod(int(read.dynamodb.sequence_number), DIGITS)
        change = _change(read, sequence, instant(read.dynamodb.approximate_creation_date_time, arrived))
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise UnreadableMessage(f"not the record of a DynamoDB stream: {error}") from error
    return ChangeMessage(
        stream=f"{DATABASE}.{change.ns.coll}", generation=min(generation, GENERATIONS), lane=LANE, changes=(change,)
    )


def _change(record: _Record, sequence: int, committed: Instant) -> Change:
    image, table = record.dynamodb, record.table
    if image.stream_view_type not in (None, VIEW):
        raise Misconfigured(f"the stream of the table {table} has the view type {image.stream_view_type}; set it to {VIEW}")
    new = item(image.new_image) if image.new_image is not None else None
    old = item(image.old_image) if image.old_image is not None else None
    operation, description = _operation(record.event_name, old, new)
    return Change(
        id=record.change_id,
        sequence=sequence,
        operation_type=operation,
        ns=Namespace(db=DATABASE, coll=table),
        cluster_time=committed.cluster_time,
        wall_time=committed.wall_time,
        document_key={"_id": _id(image.keys)},
        document_name=identity.name(DATABASE, table, key_text(image.keys)),
        full_document=new,
        full_document_before_change=old,
        update_description=description,
        post_image=operation == "update",
    )


def _operation(name: str, old: Document | None, new: Document | None) -> tuple[str, UpdateDescription | None]:
    """
    Return MongoDB's name of the operation, and for an update the whole attributes that it set and removed. An attribute with a
    dot in its name is marked as not being a path.
    """
    if name == "INSERT" and new is not None and old is None:
        return "insert", None
    if name == "REMOVE" and old is not None and new is None:
        return "delete", None
    if name != "MODIFY" or old is None or new is None:
        images = " and ".join(name for name, image in (("the old", old), ("the new", new)) if image is not None) or "neither"
        raise ValueError(f"the record is {name} with {images} image")
    updated = {name: value for name, value in new.items() if not same(old.get(name, ABSENT), value)}
    removed = sorted(old.keys() - new.keys())
    whole: dict[str, list[str | int]] = {name: [name] for name in (*updated, *removed) if "." in name}
    return "update", UpdateDescription(updated_fields=updated, removed_fields=removed, disambiguated_paths=whole or None)


def _id(keys: Image) -> Any:
    key = item(keys)
    if not key:
        raise ValueError("the record has no keys")
    return key if len(key) > 1 else next(iter(key.values()))
