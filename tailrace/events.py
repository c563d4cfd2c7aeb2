"""What a project defines: domain events, and the mappers from changes to events."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, ClassVar, dataclass_transform

import msgspec
from msgspec import Meta, Struct, StructMeta

from tailrace.change import Change

NAME_LIMIT = 128  # characters, EventBridge, a detail-type


class EventType(StructMeta):
    """Builds event classes, so that the class statement is the whole definition. Rejects a class that no bus accepts."""

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
            raise TypeError(f"{name}: about={about!r} is not one of its fields")
        cls.__source__, cls.__version__, cls.__about__ = source, version, about
        return cls


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class DomainEvent(Struct, frozen=True, kw_only=True, metaclass=EventType):
    """
    An event: something that happened, named in the past tense. Once published, it is a public contract.

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
"""Returns the events that a change means, if any. A pure function: no clock, no network, no other change."""

Mappers = Mapping[str, Iterable[Mapper]]
"""Mappers by collection: ``collection`` (no dot), ``database.collection`` or ``*.collection``. See ``mapper_keys``."""


def mapper_name(mapper: Mapper) -> str:
    """``package.module.function``: the same in every process, also for a partial function or a callable object."""
    while isinstance(mapper, partial):
        mapper = mapper.func
    named = mapper if hasattr(mapper, "__qualname__") else type(mapper)
    return f"{named.__module__}.{named.__qualname__}"


def _validate(name: str, description: str, source: str) -> None:
    if not description.strip():
        raise TypeError(f"{name}: write a docstring; it is the event's description")
    if not source or source.startswith("aws."):
        raise TypeError(f'{name}: set its source, class {name}(DomainEvent, source="app.…"); it must not begin with aws.')
    if len(name) > NAME_LIMIT:
        raise TypeError(f"{name}: a detail-type has at most {NAME_LIMIT} characters")
