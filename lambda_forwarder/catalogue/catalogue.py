"""The catalogue of a mapper table's events, and its files for other teams: the page and the schemas."""

import inspect
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

from lambda_forwarder.catalogue import page
from lambda_forwarder.catalogue.breaking import breaks
from lambda_forwarder.catalogue.schema import json_schema, openapi, schema_name
from tailrace.catalogue import Catalogue, Event
from tailrace.events import DomainEvent, Mapper, Mappers
from tailrace.mappers.gaps import stream_gap_detected


def events_of(mapper: Mapper) -> list[type[DomainEvent]]:
    """The events that a mapper can return: its attribute ``produces`` if it has one, else the events in its return type."""
    hints: list[Any] = [*getattr(mapper, "produces", ())] or [get_type_hints(mapper).get("return")]
    events = []
    while hints:
        hint = hints.pop(0)
        hints = [*get_args(hint), *hints]
        if isinstance(hint, type) and issubclass(hint, DomainEvent):
            events.append(hint)
    return events


def catalogue(mappers: Mappers) -> page.Catalogue:
    """Every event of a table, by source and name, and ``StreamGapDetected``, which belongs to every table."""
    found: dict[type[DomainEvent], dict[str, str]] = {}
    tables: list[tuple[str, Iterable[Mapper]]] = [*mappers.items(), ("any collection", [stream_gap_detected])]
    for collection, of_collection in tables:
        for mapper in of_collection:
            for event in events_of(mapper):
                found.setdefault(event, {})[collection] = _description(mapper)
    return dict(sorted(found.items(), key=lambda item: (item[0].__source__, item[0].__name__)))


def described(name: str, mappers: Mappers) -> Catalogue:
    """The catalogue as it is in a package. ``name`` is the table as module:name."""
    events = [
        Event(
            name=event.__name__,
            source=event.__source__,
            version=event.__version__,
            keys=tuple(keys),
            schema_name=schema_name(event),
            json_schema=json_schema(event),
            openapi=openapi(event),
        )
        for event, keys in catalogue(mappers).items()
    ]
    return Catalogue(mappers=name, keys=tuple(mappers), events=tuple(events))


def files(mappers: Mappers, schemas: Path, page_file: Path, samples: Path) -> dict[Path, str]:
    """The contents of all files of the catalogue, by path."""
    events = catalogue(mappers)
    contents = {page_file: page.page(events, schemas, page_file, samples)}
    for event in events:
        contents[schemas / f"{schema_name(event)}.json"] = _text(json_schema(event))
        contents[schemas / f"{schema_name(event)}.openapi.json"] = _text(openapi(event))
    return contents


def breaking_changes(mappers: Mappers, schemas: Path) -> Iterator[str]:
    """Yield each difference from the schemas on disk that breaks consumers, with the remedy."""
    events = catalogue(mappers)
    names = [f"{event.__source__}@{event.__name__}" for event in events]
    for path in sorted(schemas.glob("*-v*.openapi.json")):
        if path.name.rpartition("-v")[0] not in names:
            remedy = "Restore the mapper; or, if no consumer reads the event any more, delete its schemas"
            yield f"{path.name}: no mapper produces this event any more. {remedy}"
    for event in events:
        path = schemas / f"{schema_name(event)}.json"
        for problem in breaks(json.loads(path.read_text()), json_schema(event)) if path.exists() else ():
            name, version = event.__name__, event.__version__
            yield f'{name} version {version}: the field {problem}. Undo this, or give the class another version, version="…"'


def write(mappers: Mappers, schemas: Path, page_file: Path, samples: Path) -> list[str]:
    """Write the files if no change is breaking; return the breaking changes. Schemas on disk are never removed."""
    problems = list(breaking_changes(mappers, schemas))
    if not problems:
        for path, text in files(mappers, schemas, page_file, samples).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return problems


def check(mappers: Mappers, schemas: Path, page_file: Path, samples: Path) -> list[str]:
    """Return the breaking changes or, if there are none, each file that ``write`` would change."""
    written = files(mappers, schemas, page_file, samples).items()
    stale = [path for path, text in written if not path.exists() or path.read_text() != text]
    return list(breaking_changes(mappers, schemas)) or [
        f"{path} is not what the mappers produce: write it again (tailrace schemas write)" for path in stale
    ]


def _description(mapper: Mapper) -> str:
    return inspect.getdoc(mapper if inspect.isroutine(mapper) else type(mapper).__call__) or ""


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
