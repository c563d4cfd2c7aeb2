"""
The record of a DynamoDB stream as a Change: the same questions, mappers and events as for a document.

``ns`` is ``dynamodb`` and the table, so a mapper table finds it by the table's name. ``_id`` names the item, here as there: the
value of the partition key, or an object of both keys where there is a sort key.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from contract import identity
from contract.change import Change, Document, Namespace, UpdateDescription
from contract.message import ChangeMessage
from contract.paths import ABSENT, same
from lambda_forwarder.dynamodb.values import Image, item, key_text
from lambda_forwarder.errors import Misconfigured

Record = dict[str, Any]
"""One record of the Lambda's DynamoDB event."""

DATABASE = "dynamodb"
VIEW = "NEW_AND_OLD_IMAGES"
LANE = 0  # the stream's shards keep the order, so it has no lanes
DIGITS = 10**15  # of a SequenceNumber that are ``sequence``; any JSON reader's double holds them exactly
GENERATIONS = 2**63 - 1  # the most that a bus reads as a number
TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}  # who deletes what has expired
EXPIRED = "/expired"  # the end of the id of such a delete: an id is what a change keeps wherever it waits


class UnreadableRecord(ValueError):
    """Not the record of a DynamoDB stream. Trying again will not help; the message says why."""


class _Image(Struct, frozen=True, rename="pascal"):
    keys: dict[str, dict[str, Any]]
    sequence_number: Annotated[str, Meta(pattern="^[0-9]{1,40}$")]
    approximate_creation_date_time: float
    stream_view_type: str = VIEW
    new_image: dict[str, dict[str, Any]] | None = None
    old_image: dict[str, dict[str, Any]] | None = None


class _Record(Struct, frozen=True):
    event_id: str = msgspec.field(name="eventID")
    event_name: Literal["INSERT", "MODIFY", "REMOVE"] = msgspec.field(name="eventName")
    source_arn: str = msgspec.field(name="eventSourceARN")
    dynamodb: _Image
    user: dict[str, Any] | None = msgspec.field(name="userIdentity", default=None)


def read(record: Record) -> ChangeMessage:
    """
    The record as a message of its one change. The stream is called ``dynamodb.TABLE``.

    (generation, sequence) is the SequenceNumber, cut in two because it is longer than any JSON number: together they order the
    changes of an item, and mean nothing else. (That a shard's numbers are above its parent's is how AWS works, not what it
    promises.) A number of more than 33 digits, of the 40 that are allowed, leaves the order to the batch alone.

    Raises:
        UnreadableRecord: it is none.
        Misconfigured: the stream does not show both images.
    """
    try:
        read = msgspec.convert(record, _Record)
        _, _, table = read.source_arn.partition(":table/")
        generation, sequence = divmod(int(read.dynamodb.sequence_number), DIGITS)
        change = _change(read, table.partition("/")[0], sequence)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableRecord(f"not the record of a DynamoDB stream: {type(error).__name__}: {error}") from error
    return ChangeMessage(
        stream=f"{DATABASE}.{change.ns.coll}", generation=min(generation, GENERATIONS), lane=LANE, changes=(change,)
    )


def expired(change: Change) -> bool:
    """Whether nobody deleted the item: its time to live was over, and DynamoDB removed it."""
    return change.deleted and change.ns.db == DATABASE and change.id.endswith(EXPIRED)


def _change(record: _Record, table: str, sequence: int) -> Change:
    image = record.dynamodb
    if image.stream_view_type != VIEW:
        raise Misconfigured(f"the stream of the table {table} shows {image.stream_view_type}; make it show {VIEW}")
    new = item(image.new_image) if image.new_image is not None else None
    old = item(image.old_image) if image.old_image is not None else None
    operation, description = _operation(record.event_name, old, new)
    return Change(
        id=record.event_id + (EXPIRED if record.user is not None and TTL.items() <= record.user.items() else ""),
        sequence=sequence,
        operation_type=operation,
        ns=Namespace(db=DATABASE, coll=table),
        cluster_time=f"{int(image.approximate_creation_date_time)}.0",
        document_key={"_id": _id(image.keys)},
        told_document=identity.name(DATABASE, table, key_text(image.keys)),
        full_document=new,
        full_document_before_change=old,
        update_description=description,
        post_image=operation == "update",
    )


def _operation(name: str, old: Document | None, new: Document | None) -> tuple[str, UpdateDescription | None]:
    """
    MongoDB's word for it, and for an update which whole attributes it set and removed: an attribute with a dot in its name is
    said to be no path.
    """
    if name == "INSERT" and new is not None and old is None:
        return "insert", None
    if name == "REMOVE" and old is not None and new is None:
        return "delete", None
    if name != "MODIFY" or old is None or new is None:
        raise UnreadableRecord(
            f"{name} with the images {[which for which, it in (('old', old), ('new', new)) if it is not None]}"
        )
    updated = {name: value for name, value in new.items() if not same(old.get(name, ABSENT), value)}
    removed = sorted(old.keys() - new.keys())
    whole: dict[str, list[str | int]] = {name: [name] for name in (*updated, *removed) if "." in name}
    return "update", UpdateDescription(updated_fields=updated, removed_fields=removed, disambiguated_paths=whole or None)


def _id(keys: Image) -> Any:
    key = item(keys)
    if not key:
        raise UnreadableRecord("it has no keys")
    return key if len(key) > 1 else next(iter(key.values()))
