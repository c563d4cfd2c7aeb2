"""What a project defines: domain events, and the mappers that say which change means which event."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, ClassVar, dataclass_transform

import msgspec
from msgspec import Meta, Struct, StructMeta

from tailrace.change import Change

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


def _validate(name: str, description: str, source: str) -> None:
    if not description.strip():
        raise TypeError(f"{name}: the docstring is the event's description; write one")
    if not source or source.startswith("aws."):
        raise TypeError(f'{name}: say where it comes from, class {name}(DomainEvent, source="app.…"); not aws.')
    if len(name) > NAME_LIMIT:
        raise TypeError(f"{name}: a detail-type has at most {NAME_LIMIT} characters")
