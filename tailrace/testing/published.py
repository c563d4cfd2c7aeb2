"""The events that the forwarder would publish for a change, as a consumer reads them."""

import json
from typing import Any

from msgspec.structs import replace

from lambda_forwarder.dynamodb.expiry import DATABASE
from lambda_forwarder.mapping.events import check_one_mapper_per_event, entries_of, events_by, is_mapped, mappers_for
from lambda_forwarder.mapping.unmapped import no_mapper
from lambda_forwarder.model.entry import Entry, entry
from lambda_forwarder.publishing.limits import rejection_reason, too_large
from tailrace.change import Change
from tailrace.consuming import Event, Events
from tailrace.events import DomainEvent, Mappers
from tailrace.message import ChangeMessage
from tailrace.testing.moments import START
from tailrace.wire.change import Namespace

GENERATION = 1


class NotPublished(Exception):
    """The forwarder would publish nothing: no mapper reads the collection, or the bus would refuse the event."""


def events_of(mappers: Mappers, change: Change, *, source: str | None = None) -> list[Event[Any]]:
    """
    Return the events of a change as a consumer reads them, with ids and metadata, in the order in which they are published.
    ``data`` is the event of the mapper, decoded from what was published. The stream has the name of the change's database.
    ``source`` is the setting FORWARDER_SOURCE.

    Raises:
        Uncertain: a mapper asked for something that the server did not send. The forwarder would park the change, as it would
            after any other error of a mapper, which is raised as it is, too.
        NotPublished: no mapper reads the collection, or the bus would refuse an event.
    """
    if not is_mapped(change, mappers):
        raise NotPublished(no_mapper(change.ns, mappers))
    message = ChangeMessage(stream=_stream(change.ns), generation=GENERATION, lane=0, changes=(change,))
    entries: list[Entry] = []
    published: list[Event[Any]] = []
    for mapper in mappers_for(change, mappers):
        events = events_by(mapper, change)
        produced = entries_of(events, change, message, mapper, source)
        check_one_mapper_per_event(produced, entries)
        entries += produced
        published += [_read(entry, type(event)) for event, entry in zip(events, produced, strict=True)]
    return published


def published(
    event: DomainEvent,
    *,
    document: str = "shop.orders/o-1",
    sequence: int = 1,
    generation: int = GENERATION,
    late: bool = False,
) -> Event[Any]:
    """
    Return this event as a consumer reads it: for the tests of a consumer, which has no mappers. Another ``document`` or
    ``sequence`` is another event. Another ``generation`` alone is a repeat, with the same id, after a rewind of the stream.
    """
    ns = Namespace(db=document.partition(".")[0], coll=document.partition("/")[0].partition(".")[2])
    change = Change(
        id=f"{document}\n{sequence}",
        sequence=sequence,
        operation_type="update",
        ns=ns,
        cluster_time=f"{int(START.timestamp())}.{sequence}",
        document_name=document,
    )
    message = ChangeMessage(stream=_stream(ns), generation=generation, lane=0, changes=(change,))
    read = _read(entry(event, change=change, message=message), type(event))
    return replace(read, metadata=replace(read.metadata, late=late))


def _read(entry: Entry, kind: type[DomainEvent]) -> Event[Any]:
    """Read an entry as a consumer does. Data that is too large for the bus is read as if it had been fetched from S3."""
    if not too_large(entry) and (reason := rejection_reason(entry)):
        raise NotPublished(f"the bus would refuse {entry.detail_type}: {reason}")
    detail = json.loads(entry.detail)
    body = {"detail-type": entry.detail_type, "source": kind.__source__, "detail": detail}
    return replace(Events(kind).read(body), source=entry.source)


def _stream(ns: Namespace) -> str:
    return f"{DATABASE}.{ns.coll}" if ns.db == DATABASE else ns.db
