"""A package of mappers that nobody imports, for templates: only its digest and its events are in them."""

from pathlib import Path

from tailrace.packaging import Catalogue, Event, Package


def event(name: str, **more: str) -> Event:
    """An event of the source ``app.shop``, with as little of a schema as a registry takes."""
    entry, openapi = f"app.shop@{name}-v1", {"openapi": "3.0.3", **more}
    return Event(name=name, source="app.shop", version="1", keys=(), schema_name=entry, json_schema={}, openapi=openapi)


def image_folder(folder: Path) -> Path:
    """Write a folder that an image is built from, without files of a package."""
    made = folder / "image"
    made.mkdir()
    (made / "Dockerfile").write_text("FROM scratch\nADD package.tar /var/task/\n")
    (made / "package.tar").touch()
    return made


def package(folder: Path, *events: str, file: Path | None = None) -> Package:
    """Return the package of these events. It is an empty zip unless another zip, or the folder of an image, is given."""
    if file is None:
        file = folder / "forwarder.zip"
        file.touch()
    catalogue = Catalogue(mappers="events:MAPPERS", keys=("orders",), events=tuple(map(event, events)))
    return Package(path=file, sha256="", unzipped_bytes=0, catalogue=catalogue)
