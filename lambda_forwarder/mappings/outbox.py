"""
The transactional outbox: an application writes down its events itself, in the same transaction as its data.

A document of the outbox has ``type`` (the name of an event class), ``key`` (what the event is about) and ``payload`` (the
event's fields as they go on the bus). ``docs/outbox.md`` says how to write one, how to keep the order of a key, and how to
clean up.
"""

import msgspec

from tailrace import Change, DomainEvent


class OutboxError(ValueError):
    """A document of the outbox is not one of the events that this mapper tells. It is parked."""


class Outbox:
    """
    A mapper that tells the given events, and no others: the type in a document only chooses among them.

    A type is data, so it may be anything; an event is a class, so its payload is validated before it is published. Each
    class says by ``about`` which of its fields is the key.
    """

    def __init__(self, *tells: type[DomainEvent]) -> None:
        self.tells = tells
        self._by_name = {event.__name__: event for event in tells}
        unkeyed = [event.__name__ for event in tells if not event.__about__]
        if unkeyed or len(self._by_name) < len(tells):
            raise TypeError(f"each event of an outbox needs a unique name and about=…, its key: {unkeyed or tells}")

    def __repr__(self) -> str:
        return f"Outbox({', '.join(self._by_name)})"

    def __call__(self, change: Change) -> DomainEvent | None:
        """An event was written into the outbox. Updates and deletes, a clean-up by TTL among them, tell nothing."""
        if not change.created:
            return None
        document = change.after or {}
        event_type = self._by_name.get(document["type"])
        if event_type is None:
            raise OutboxError(f"no event is registered for the type {document['type']!r}; registered: {self!r}")
        event = msgspec.convert(document["payload"], event_type)
        unknown = document["payload"].keys() - {field.encode_name for field in msgspec.structs.fields(event_type)}
        if unknown:
            raise OutboxError(
                f"{event_type.__name__} has no fields {sorted(unknown)}; deploy a forwarder whose event class has them"
            )
        if document["key"] != getattr(event, event_type.__about__):
            raise OutboxError(
                f"the key is not the payload's {event_type.__about__}, by which {event_type.__name__} keeps its order"
            )
        return event
