"""Maps the changes of a message to events, with the mappers of their collections."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from lambda_forwarder.errors import is_of_the_machine
from lambda_forwarder.mapping.mapper_keys import key_of
from lambda_forwarder.model.entry import Entry, entry, not_an_event
from lambda_forwarder.model.parked import Parked, unmapped
from lambda_forwarder.parking.poison import stub
from tailrace.change import Change
from tailrace.events import DomainEvent, Mapper, Mappers, mapper_name
from tailrace.mappers.gaps import stream_gap_detected
from tailrace.message import ChangeMessage
from tailrace.wire.change import GAP


def map_changes(
    message: ChangeMessage, mappers: Mappers, source: str | None = None, late: Collection[str] = ()
) -> tuple[list[Entry], list[Parked]]:
    """
    Return the events, in the order of the changes and then of the table, and the changes to park. Events of the changes with
    these ids are marked as ``late``.

    A change is parked if a mapper raises an error, or if it is a stub. No mapper gets a stub.
    """
    entries: list[Entry] = []
    parked: list[Parked] = []
    for change in message.changes:
        if change.poison is not None:
            parked.append(stub(change, message, change.poison))
            continue
        first = len(entries)
        for mapper in mappers_for(change, mappers):
            try:
                produced = entries_of(events_by(mapper, change), change, message, mapper, source, late=change.id in late)
                check_one_mapper_per_event(produced, entries[first:])
                entries += produced
            except Exception as error:  # any error of a mapper: the other changes continue
                if is_of_the_machine(error):
                    raise
                parked.append(unmapped(change, message, mapper, error))
    return entries, parked


def is_mapped(change: Change, mappers: Mappers) -> bool:
    """
    Whether the table has an entry for the change's collection. The entry may have no mappers: ``{"audit": ()}`` says that no
    event is intended. A change of a whole database belongs to no collection and needs no entry.
    """
    return change.operation_type == GAP or not change.ns.coll or key_of(change.ns, mappers) is not None


def mappers_for(change: Change, mappers: Mappers) -> Iterable[Mapper]:
    """The mappers of the change's collection, in the order of the table, from the most exact key only."""
    if change.operation_type == GAP:
        return (stream_gap_detected,)  # in every table: it concerns the consumers of every event
    key = key_of(change.ns, mappers)
    return () if key is None else mappers[key]


def events_by(mapper: Mapper, change: Change) -> Sequence[DomainEvent]:
    """
    Return the events that a mapper produces for a change, in order.

    Raises:
        TypeError: the mapper returned something else. An empty text or dictionary is a mistake too, and not "no event".
    """
    events: object = mapper(change)
    if events is None:
        return ()
    if isinstance(events, DomainEvent):
        return (events,)
    if isinstance(events, str | bytes | Mapping) or not isinstance(events, Iterable):
        raise not_an_event(events)
    return tuple(events)


def entries_of(
    events: Sequence[DomainEvent],
    change: Change,
    message: ChangeMessage,
    mapper: Mapper,
    source: str | None = None,
    *,
    late: bool = False,
) -> list[Entry]:
    """Return the entry of each event of one mapper. Raise the errors of ``entry``."""
    positions: Counter[type] = Counter()
    entries = []
    for event in events:
        position = positions[type(event)]
        positions[type(event)] += 1
        name = mapper_name(mapper)
        entries.append(entry(event, change=change, message=message, position=position, source=source, mapper=name, late=late))
    return entries


def check_one_mapper_per_event(entries: Sequence[Entry], others: Sequence[Entry]) -> None:
    """Raise ``TypeError`` if two mappers produced the same event for one change: both events would have the same id."""
    for twice in {new.detail_type for new in entries} & {other.detail_type for other in others}:
        raise TypeError(f"another mapper already produced {twice} for this change; an event has one mapper")
