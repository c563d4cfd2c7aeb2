"""What other teams see: domain events, and the one place where an event becomes an entry of PutEvents."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Annotated, Any, ClassVar, dataclass_transform
from uuid import UUID, uuid5

import msgspec
from msgspec import Meta, Raw, Struct, StructMeta, to_builtins

from contract import identity
from contract.change import Change
from contract.message import ChangeMessage
from lambda_forwarder.trace import traceparent

EVENT_IDS = UUID("5d1f3f0e-9c1b-4f62-8f0d-7a1f6e0c2b84")  # the UUIDv5 namespace of every metadata.id, for ever
NAME_LIMIT = 128  # characters, EventBridge, a detail-type


class EventType(StructMeta):
    """Makes the class statement of an event the whole of its definition, and refuses one that no bus would take."""

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        source: str = "",
        version: str = "1",
        about: str = "",
        **config: Any,
    ) -> Any:
        if any(isinstance(base, EventType) for base in bases):
            _validate(name, namespace.get("__doc__") or "", source)
        config = {"frozen": True, "kw_only": True, "rename": "camel", **config}
        cls: Any = super().__new__(mcs, name, bases, namespace, **config)
        if about and about not in cls.__struct_fields__:
            raise TypeError(f"{name}: about={about!r} is none of its fields")
        cls.__source__, cls.__version__, cls.__about__ = source, version, about
        return cls


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class DomainEvent(Struct, frozen=True, kw_only=True, metaclass=EventType):
    """
    Something that happened, in the past tense: a public contract from the first time it is published.

    The class's name is the event's detail-type, its docstring the event's description, ``source`` its EventBridge
    source; ``version`` (default "1") grows when a field changes its meaning or goes away. Fields are camelCase on the bus.
    Events keep their order per changed document, or per value of the field ``about`` where the class names one.
    """

    __source__: ClassVar[str]
    __version__: ClassVar[str]
    __about__: ClassVar[str]


Time = Annotated[datetime, Meta(tz=True)]
"""A point in time: RFC 3339 with its offset. A field of this type is never published without one."""

Mapper = Callable[[Change], DomainEvent | Sequence[DomainEvent] | None]
"""Says which events, if any, a change means. A pure function: no clock, no network, no other change."""

Mappers = Mapping[str, Iterable[Mapper]]
"""Mappers by what they read: ``collection`` (no dot), ``database.collection`` or ``*.collection``. See ``mapper_keys``."""


def mapper_name(mapper: Mapper) -> str:
    """``package.module.function``: the same in every process, also of a partial function or an object that can be called."""
    while isinstance(mapper, partial):
        mapper = mapper.func
    named = mapper if hasattr(mapper, "__qualname__") else type(mapper)
    return f"{named.__module__}.{named.__qualname__}"


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
_decoder = cache(msgspec.json.Decoder)


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
        raise ValueError(f"the change is dated {occurred_at}, without its offset")
    data = _encode(event)
    _decoder(type(event)).decode(data)
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


def _validate(name: str, description: str, source: str) -> None:
    if not description.strip():
        raise TypeError(f"{name}: the docstring is the event's description; write one")
    if not source or source.startswith("aws."):
        raise TypeError(f'{name}: say where it comes from, class {name}(DomainEvent, source="app.…"); not aws.')
    if len(name) > NAME_LIMIT:
        raise TypeError(f"{name}: a detail-type has at most {NAME_LIMIT} characters")
