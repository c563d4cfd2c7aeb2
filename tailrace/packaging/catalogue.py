"""The events of the mappers in a package, as the package itself describes them."""

from typing import Any

from msgspec import Struct


class Event(Struct, frozen=True, kw_only=True):
    """An event, the keys of the table whose mappers produce it, and its schemas."""

    name: str
    source: str
    version: str
    keys: tuple[str, ...]
    schema_name: str
    json_schema: dict[str, Any]
    openapi: dict[str, Any]


class Catalogue(Struct, frozen=True, kw_only=True):
    """``keys`` are those of the table of mappers. ``events`` are all events of the table, and the forwarder's own."""

    keys: tuple[str, ...]
    events: tuple[Event, ...]
