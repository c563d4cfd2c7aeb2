"""The one place where a domain event becomes an entry of PutEvents."""

from datetime import datetime
from uuid import UUID, uuid5

import msgspec
from msgspec import Raw, Struct, to_builtins

from lambda_forwarder.model.declared import checker
from lambda_forwarder.model.trace import traceparent
from tailrace.change import Change
from tailrace.events import DomainEvent, Time
from tailrace.message import ChangeMessage
from tailrace.wire import identity

EVENT_IDS = UUID("5d1f3f0e-9c1b-4f62-8f0d-7a1f6e0c2b84")  # the UUIDv5 namespace of every metadata.id, for ever


class Entry(Struct, frozen=True, kw_only=True):
    """
    One event as it goes on the bus, under EventBridge's names, with the change, the stream and the mapper that it came from.

    ``document`` is what it keeps its order by: the document's name, or the value of the field ``about``.
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


class Metadata(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Where an event comes from. By ``id`` a repeat is known, by ``(generation, sequence)`` the order; ``late``: redriven."""

    id: str
    version: str
    stream: str
    generation: int
    sequence: int
    document: str
    operation: str
    occurred_at: Time
    late: bool = False
    traceparent: str | None = None


class _Detail(Struct, frozen=True):
    metadata: Metadata
    data: Raw


_encode = msgspec.json.Encoder().encode


def entry(
    event: DomainEvent,
    *,
    change: Change,
    message: ChangeMessage,
    position: int = 0,
    source: str | None = None,
    mapper: str = "",
) -> Entry:
    """
    Wrap the ``position``-th event of its type that ``change`` means; ``source`` replaces the class's own.

    The same event of the same change gets the same id and the same bytes, however often it is published.

    Raises:
        TypeError: not a domain event, or it holds a value that JSON does not have.
        msgspec.ValidationError: a field is not of its declared type; consumers rely on the declaration.
        ValueError: the change is not dated, or without an offset.
    """
    if not isinstance(event, DomainEvent):
        raise TypeError(f"a mapper returns a DomainEvent, a list of them or None, not {type(event).__name__}")
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
    """What the event keeps its order by. Its length is bounded, as every document's name is."""
    if not event.__about__:
        return change.document
    value = to_builtins(getattr(event, event.__about__))
    return identity.name(change.ns.db, change.ns.coll, value if isinstance(value, str) else identity.of_json(value))
