"""The lines that say what became of a change."""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from lambda_forwarder.mapping.events import is_mapped
from lambda_forwarder.mapping.mapper_keys import key_of
from lambda_forwarder.mapping.unmapped import no_mapper
from lambda_forwarder.model.parked import Parked
from tailrace.change import Change
from tailrace.dev.changes import SeenChange
from tailrace.dev.consumer import Received
from tailrace.dev.outcomes import Outcome
from tailrace.events import Mappers
from tailrace.packaging import Catalogue


class Line(NamedTuple):
    """Text and its colour; one that is not ``first`` continues the line before."""

    text: str
    colour: str = ""
    first: bool = False


def lines(outcome: Outcome, catalogue: Catalogue, *, data: bool) -> Iterator[Line]:
    """Return the lines of an outcome, with the data of the events, or with the change if it has none, if asked for."""
    subject = _subject(outcome)
    names = ", ".join(event.name for event in outcome.events)
    if names:
        yield Line(f"{subject}  {names}", "green", first=True)
    for item in outcome.parked:
        yield Line(f"{subject}  parked: {item.reason}", "red", first=True)
        yield from _remedy(item)
    if outcome.change and not names and not outcome.parked:
        yield Line(f"{subject}  no event: {_reason(outcome.change.change, catalogue)}", "dim", first=True)
    if data:
        for event in outcome.events:
            yield from _json({"source": event.source, "detail-type": event.name, "detail": _detail(event)})
        if outcome.change and not outcome.events:
            yield from _json(msgspec.json.decode(outcome.change.json))


def waiting(seen: SeenChange, log: object) -> Line:
    """Return the line about a change that is not finished after a while."""
    return Line(f"{_of(seen)}  waits in the queue; the function's output is in {log}", "yellow", first=True)


def _subject(outcome: Outcome) -> str:
    if outcome.change:
        return _of(outcome.change)
    event = outcome.events[0]
    late = "  late" if event.metadata.late else ""
    return f"{event.document}  {event.metadata.operation}  #{event.position[1]}{late}"


def _of(seen: SeenChange) -> str:
    return f"{seen.change.document}  {seen.change.operation_type}  #{seen.change.sequence}"


def _detail(event: Received) -> dict[str, Any]:
    return {"metadata": msgspec.to_builtins(event.metadata), "data": event.data}


def _remedy(item: Parked) -> Iterator[Line]:
    if item.mapper:
        yield Line(f"mapper {item.mapper}, {' < '.join(reversed(item.stack)) or item.event}")
    yield Line(f"what to do: {item.remedy}")


def _reason(change: Change, catalogue: Catalogue) -> str:
    """Return why a change has no event. The mappers themselves are only in the zip."""
    table: Mappers = dict.fromkeys(catalogue.keys, ())
    if not is_mapped(change, table):
        return no_mapper(change.ns, table)
    events = sorted(_events(change, catalogue))
    return f"the mappers of {', '.join(events)} returned none" if events else "its collection has no mappers, as intended"


def _events(change: Change, catalogue: Catalogue) -> Collection[str]:
    key = key_of(change.ns, catalogue.keys)
    return {event.name for event in catalogue.events if key in event.keys}


def _json(value: Any) -> Iterable[Line]:
    return (Line(text) for text in json.dumps(value, indent=2, ensure_ascii=False).split("\n"))
