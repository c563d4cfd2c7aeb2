"""The catalogue of a mapper table's events, and its files for other teams: the page and the schemas."""

import inspect
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

from lambda_forwarder.catalogue import page
from lambda_forwarder.catalogue.breaking import breaks
from lambda_forwarder.catalogue.catalogued import CataloguedEvent
from lambda_forwarder.catalogue.schema import json_schema, openapi, schema_name
from lambda_forwarder.mappings.gaps import stream_gap_detected
from tailrace.events import DomainEvent, Mapper, Mappers

EVERYWHERE = "any collection"


def told_by(mapper: Mapper) -> list[type[DomainEvent]]:
    """The events that a mapper can return: from its attribute ``tells`` if it has one, else from its return type."""
    waiting: list[Any] = [*getattr(mapper, "tells", ())] or [get_type_hints(mapper).get("return")]
    told = []
    while waiting:
        hint = waiting.pop(0)
        waiting = [*get_args(hint), *waiting]
        if isinstance(hint, type) and issubclass(hint, DomainEvent):
            told.append(hint)
    return told


def events(mappers: Mappers) -> list[CataloguedEvent]:
    """Every event of a table, sorted by source and name, and ``StreamGapDetected``, which every table has."""
    found: dict[type[DomainEvent], dict[str, str]] = {}
    tables: list[tuple[str, Iterable[Mapper]]] = [*mappers.items(), (EVERYWHERE, [stream_gap_detected])]
    for collection, of_collection in tables:
        for mapper in of_collection:
            for event in told_by(mapper):
                found.setdefault(event, {})[collection] = _words(mapper)
    told = [CataloguedEvent(event=event, when=when) for event, when in found.items()]
    return sorted(told, key=lambda one: (one.event.__source__, one.event.__name__))


def files(mappers: Mappers, schemas: Path, page_file: Path, samples: Path) -> dict[Path, str]:
    """The expected contents of all files of the catalogue, by path."""
    catalogue = events(mappers)
    made = {page_file: page.page(catalogue, schemas, page_file, samples)}
    for told in catalogue:
        made[schemas / f"{schema_name(told.event)}.json"] = _text(json_schema(told.event))
        made[schemas / f"{schema_name(told.event)}.openapi.json"] = _text(openapi(told.event))
    return made


def broken(mappers: Mappers, schemas: Path) -> Iterator[str]:
    """Yield the breaking differences between the table's events and the schemas on disk."""
    known = events(mappers)
    names = [f"{told.event.__source__}@{told.event.__name__}" for told in known]
    for path in sorted(schemas.glob("*-v*.openapi.json")):
        if path.name.rpartition("-v")[0] not in names:
            yield f"{path.name} was published and no mapper produces it any more; remove its schemas when no consumer reads it"
    for told in known:
        path = schemas / f"{schema_name(told.event)}.json"
        for problem in breaks(json.loads(path.read_text()), json_schema(told.event)) if path.exists() else ():
            name, version = told.event.__name__, told.event.__version__
            yield f'{name} version {version} was published: {problem}; increase its version, version="…"'


def write(mappers: Mappers, schemas: Path, page_file: Path, samples: Path) -> list[str]:
    """Write the files, unless a difference is breaking; return the breaking differences. No schema is ever removed."""
    problems = list(broken(mappers, schemas))
    if not problems:
        for path, text in files(mappers, schemas, page_file, samples).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return problems


def _words(mapper: Mapper) -> str:
    return inspect.getdoc(mapper if inspect.isroutine(mapper) else type(mapper).__call__) or ""


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
