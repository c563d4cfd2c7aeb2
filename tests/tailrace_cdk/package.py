"""A package of mappers that nobody imports, for templates: only its digest and its events are in them."""

from pathlib import Path

from tailrace.packaging import Catalogue, Event, Package


def event(name: str, **more: str) -> Event:
    """An event of the source ``app.shop``, with as little of a schema as a registry takes."""
    entry, openapi = f"app.shop@{name}-v1", {"openapi": "3.0.3", **more}
    return Event(name=name, source="app.shop", version="1", keys=(), schema_name=entry, json_schema={}, openapi=openapi)


def package(folder: Path, *events: str, file: Path | None = None) -> Package:
    """Return the package of these events. Its zip is empty unless one is given."""
    if file is None:
        file = folder / "forwarder.zip"
        file.touch()
    catalogue = Catalogue(mappers="events:MAPPERS", keys=("orders",), events=tuple(map(event, events)))
    return Package(path=file, sha256="", unzipped_bytes=0, catalogue=catalogue)
