"""The catalogue of a table of mappers: its keys, and the events that the mappers publish."""

from typing import Any

from msgspec import Struct


class Event(Struct, frozen=True, kw_only=True):
    """An event, the keys of the table whose mappers publish it, and its schemas."""

    name: str
    source: str
    version: str
    keys: tuple[str, ...]
    schema_name: str
    json_schema: dict[str, Any]
    openapi: dict[str, Any]


class Catalogue(Struct, frozen=True, kw_only=True):
    """
    ``mappers`` names the table as module:name, ``keys`` are its keys. ``events`` are all events of the table, and the event of
    a gap, which the forwarder publishes itself.
    """

    mappers: str
    keys: tuple[str, ...]
    events: tuple[Event, ...]
