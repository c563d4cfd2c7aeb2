"""Maps the changes of a message to events, with the mappers of their collections."""

from collections.abc import Iterable, Sequence

from lambda_forwarder.errors import is_of_the_machine
from lambda_forwarder.mapping.mapper_keys import keys_of
from lambda_forwarder.mappings.gaps import stream_gap_detected
from lambda_forwarder.model.entry import Entry, entry
from lambda_forwarder.model.parked import Parked, unmapped
from lambda_forwarder.parking.stubs import stub
from tailrace.change import Change
from tailrace.events import DomainEvent, Mapper, Mappers, mapper_name
from tailrace.message import ChangeMessage
from tailrace.wire.change import GAP, Namespace


def map_changes(message: ChangeMessage, mappers: Mappers, source: str | None = None) -> tuple[list[Entry], list[Parked]]:
    """
    The events, in the order of the changes and then of the table, and what has to be parked: what a mapper could not digest,
    and stubs, which no mapper sees.
    """
    entries: list[Entry] = []
    parked: list[Parked] = []
    for change in message.changes:
        if change.poison is not None:
            parked.append(stub(change, message, change.poison))
            continue
        before = len(entries)
        for mapper in mappers_for(change, mappers):
            try:
                wrapped = _wrapped(mapper(change), change, message, source, mapper_name(mapper))
                _one_mapper_per_event(wrapped, entries[before:])
                entries += wrapped
            except Exception as error:  # whatever it is, it must not hold back the other changes
                if is_of_the_machine(error):
                    raise
                parked.append(unmapped(change, message, mapper, error))
    return entries, parked


def is_mapped(change: Change, mappers: Mappers) -> bool:
    """
    Whether the table knows the change's collection, perhaps with no mapper: ``{"audit": ()}`` says that there is none on
    purpose. What happened to a whole database is of no collection.
    """
    return change.operation_type == GAP or not change.ns.coll or is_known(change.ns, mappers)


def is_known(collection: Namespace, mappers: Mappers) -> bool:
    """Whether a key of the table means the collection."""
    return any(key in mappers for key in keys_of(collection))


def mappers_for(change: Change, mappers: Mappers) -> Iterable[Mapper]:
    """Those of its collection, in the order of the table: of the most exact key that means it, and of no other."""
    if change.operation_type == GAP:
        return (stream_gap_detected,)  # whatever the table: consumers of every event must hear of it
    return next((mappers[key] for key in keys_of(change.ns) if key in mappers), ())


def _wrapped(
    events: DomainEvent | Sequence[DomainEvent] | None, change: Change, message: ChangeMessage, source: str | None, mapper: str
) -> list[Entry]:
    if events is None:
        return []
    if isinstance(events, DomainEvent):
        return [entry(events, change=change, message=message, source=source, mapper=mapper)]
    positions: dict[type, int] = {}
    entries = []
    for event in events:
        position = positions.get(type(event), 0)
        positions[type(event)] = position + 1
        entries.append(entry(event, change=change, message=message, position=position, source=source, mapper=mapper))
    return entries


def _one_mapper_per_event(entries: Sequence[Entry], others: Sequence[Entry]) -> None:
    """Two mappers that tell the same event of one change would give both the same id, and consumers drop the second."""
    for twice in {told.detail_type for told in entries} & {told.detail_type for told in others}:
        raise TypeError(f"another mapper already produced {twice} for this change; an event has one mapper")
