"""
The transactional outbox: an application writes its events itself, in the same transaction as its data.

A document of the outbox has ``type`` (the name of an event class), ``key`` (the value of the field ``about``) and ``payload``
(the event's fields, named as on the bus). ``docs/how-to/outbox.md`` describes how to write, order and clean up an outbox.
"""

import msgspec

from tailrace import Change, DomainEvent


class OutboxError(ValueError):
    """A document of the outbox is not one of the mapper's events. The change is parked."""


class Outbox:
    """
    A mapper that produces the given events and no others. The payload is validated against the event class before it is
    published. Each class names its key with ``about``.
    """

    def __init__(self, *produces: type[DomainEvent]) -> None:
        self.produces = produces
        self._by_name = {event.__name__: event for event in produces}
        unkeyed = [event.__name__ for event in produces if not event.__about__]
        if unkeyed or len(self._by_name) < len(produces):
            raise TypeError(f"each event of an outbox needs a unique name and its key, about=…: {unkeyed or produces}")

    def __repr__(self) -> str:
        return f"Outbox({', '.join(self._by_name)})"

    def __call__(self, change: Change) -> DomainEvent | None:
        """An event was inserted into the outbox. Updates and deletes, also those of a TTL index, produce no event."""
        if not change.created:
            return None
        document = change.after or {}
        event_type = self._by_name.get(document["type"])
        if event_type is None:
            raise OutboxError(f"{self!r} has no event of the type {document['type']!r}")
        event = msgspec.convert(document["payload"], event_type)
        unknown = document["payload"].keys() - {field.encode_name for field in msgspec.structs.fields(event_type)}
        if unknown:
            raise OutboxError(f"{event_type.__name__} has no fields {sorted(unknown)}; deploy a forwarder whose class has them")
        if document["key"] != getattr(event, event_type.__about__):
            raise OutboxError(f"the key differs from the payload's {event_type.__about__}, which orders {event_type.__name__}")
        return event
