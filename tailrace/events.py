"""Domain events, and the mappers from changes to events."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform

import msgspec
from msgspec import Meta, Struct, StructMeta

from tailrace.change import Change

NAME_LIMIT = 128  # characters, EventBridge, a detail-type
FIELDS_LIMIT = 20  # fields that a mapper remembers; with 1 KB each, a document's values fit into an item of DynamoDB
_REMEMBERS = "__tailrace_remembers__"


class EventType(StructMeta):
    """The metaclass of events. Rejects a class that EventBridge would not accept."""

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
            raise TypeError(f"{name}: about={about!r} is not a field of this class")
        cls.__source__, cls.__version__, cls.__about__ = source, version, about
        return cls


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class DomainEvent(Struct, frozen=True, kw_only=True, metaclass=EventType):
    """
    The base class of events: something that happened, named in the past tense. Once published, it is a public contract.

        class PaymentCancelled(DomainEvent, source="app.payments"):

    The name of the class is the detail-type, its docstring the description, ``source`` the EventBridge source. Increase
    ``version`` (default "1") when a field is removed or changes its meaning. Field names are camelCase on the bus. Events keep
    their order per document, or per value of the field that ``about`` names.
    """

    __source__: ClassVar[str]
    __version__: ClassVar[str]
    __about__: ClassVar[str]


Time = Annotated[datetime, Meta(tz=True)]
"""A point in time with a UTC offset, published in the form of RFC 3339. A time without an offset is rejected."""

Mapper = Callable[[Change], DomainEvent | Sequence[DomainEvent] | None]
"""Returns the events that a change means, or None. A pure function: no clock, no network, no other change."""

M = TypeVar("M", bound=Mapper)

Mappers = Mapping[str, Iterable[Mapper]]
"""Mappers by collection: ``collection`` (without a dot), ``database.collection`` or ``*.collection``."""


def remembers(*paths: str) -> Callable[[M], M]:
    """
    Declare the fields whose values a mapper compares, if the server does not send the document before a change:

        @remembers("status")
        def payment_cancelled(change: Change) -> PaymentCancelled | None:

    A forwarder with ``FORWARDER_LAST_STATES`` keeps their values after the last change of each document. ``became``,
    ``changed`` and ``was`` then know the value before a replace, or before an update without a description. A value of more
    than 1 KB of JSON is not kept.

    Raises:
        TypeError: there is no path, or one is no path of names such as ``address.city``. An element of an array has none:
            declare the array.
    """
    if wrong := [path for path in paths if not isinstance(path, str) or not all(map(_is_name, path.split(".")))]:
        raise TypeError(
            f'remembers: {wrong[0]!r} is not the path of a field; write @remembers("status") or @remembers("address.city")'
        )
    if not paths or len(paths) > FIELDS_LIMIT or len(set(paths)) < len(paths):
        raise TypeError(f"remembers: it needs 1 to {FIELDS_LIMIT} different paths, and has {len(paths)}: {paths}")

    def declare(mapper: M) -> M:
        setattr(mapper, _REMEMBERS, paths)
        return mapper

    return declare


def _is_name(name: str) -> bool:
    return bool(name) and not name.isdecimal() and not name.startswith("$")


def remembered_by(mapper: Mapper) -> tuple[str, ...]:
    """The paths that the mapper, or the function of a partial function, declares."""
    while isinstance(mapper, partial) and _REMEMBERS not in vars(mapper):
        mapper = mapper.func
    paths: tuple[str, ...] = getattr(mapper, _REMEMBERS, ())
    return paths


def mapper_name(mapper: Mapper) -> str:
    """The name ``package.module.function``, also for a partial function or a callable object."""
    while isinstance(mapper, partial):
        mapper = mapper.func
    named = mapper if hasattr(mapper, "__qualname__") else type(mapper)
    return f"{named.__module__}.{named.__qualname__}"


def _validate(name: str, description: str, source: str) -> None:
    if not description.strip():
        raise TypeError(f"{name}: write a docstring: it describes the event in the catalogue")
    if not source or source.startswith("aws."):
        raise TypeError(f'{name}: set its source, class {name}(DomainEvent, source="app.…"); it must not begin with "aws."')
    if len(name) > NAME_LIMIT:
        raise TypeError(f"{name}: a detail-type has at most {NAME_LIMIT} characters")
