"""An entry of PutEvents, made from a domain event."""

import re
from datetime import datetime
from uuid import UUID, uuid5

import msgspec
from msgspec import Raw, Struct, to_builtins

from lambda_forwarder.model.declared import checker
from tailrace.change import Change
from tailrace.events import DomainEvent
from tailrace.message import ChangeMessage
from tailrace.metadata import Metadata
from tailrace.wire import identity

EVENT_IDS = UUID("5d1f3f0e-9c1b-4f62-8f0d-7a1f6e0c2b84")  # the UUIDv5 namespace of every metadata.id; it never changes


class Entry(Struct, frozen=True, kw_only=True):
    """
    One event with EventBridge's fields, and the change, the stream and the mapper that it came from.

    Events keep their order per ``document``: the name of the document, or the value of the field ``about``.
    """

    id: str
    stream: str
    document: str
    source: str
    detail_type: str
    time: datetime
    detail: bytes
    change: Change
    mapper: str = ""


class _Detail(Struct, frozen=True):
    metadata: Metadata
    data: Raw


_encode = msgspec.json.Encoder().encode


def not_an_event(value: object) -> TypeError:
    """Return the error for what a mapper returned in place of events."""
    return TypeError(f"a mapper returns a DomainEvent, a list of them or None, not {type(value).__name__}")


def entry(
    event: DomainEvent,
    *,
    change: Change,
    message: ChangeMessage,
    position: int = 0,
    source: str | None = None,
    mapper: str = "",
    late: bool = False,
) -> Entry:
    """
    Return the entry for an event. ``position`` counts the events of its type and change; ``source`` replaces that of the class.

    The same event of the same change always has the same id and the same bytes.

    Raises:
        TypeError: it is not a domain event, or contains a value that JSON cannot represent.
        msgspec.ValidationError: a field does not have its declared type.
        ValueError: the change has no valid time, or a time without an offset.
    """
    if not isinstance(event, DomainEvent):
        raise not_an_event(event)
    detail_type, document, occurred_at = type(event).__name__, _about(event, change), change.occurred_at
    if occurred_at.tzinfo is None:
        raise ValueError(f"the time of the change, {occurred_at}, has no UTC offset")
    data = _encode(event)
    checker(type(event))(data)
    event_id = str(uuid5(EVENT_IDS, f"{change.id}\n{detail_type}\n{position}"))
    metadata = Metadata(
        id=event_id,
        version=event.__version__,
        stream=message.stream,
        generation=message.generation,
        sequence=change.sequence,
        document=document,
        operation=change.operation_type,
        occurred_at=occurred_at,
        late=late,
        traceparent=traceparent(change),
    )
    return Entry(
        id=event_id,
        stream=message.stream,
        document=document,
        source=source or event.__source__,
        detail_type=detail_type,
        time=occurred_at,
        detail=_encode(_Detail(metadata, Raw(data))),
        change=change,
        mapper=mapper,
    )


def _about(event: DomainEvent, change: Change) -> str:
    """The text that orders the event. Its length is bounded."""
    if not event.__about__:
        return change.document
    value = to_builtins(getattr(event, event.__about__))
    return identity.name(change.ns.db, change.ns.coll, value if isinstance(value, str) else identity.of_json(value))


FIELD = "traceparent"  # W3C Trace Context; an application writes it as a top-level field of its document

_w3c = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


def traceparent(change: Change) -> str | None:
    """
    Return the ``traceparent`` that the change set, else that of its document; None if it does not have W3C's form.

    If an update does not set it, the document has that of an earlier write, or of a later one if the document was looked up
    late. This is good enough as a hint to people. A delete has no document, so it has no trace.
    """
    described = change.update_description
    for fields in (described.updated_fields if described else {}, change.full_document or {}):
        value = fields.get(FIELD)
        if isinstance(value, str) and _w3c(value):
            return value
    return None
