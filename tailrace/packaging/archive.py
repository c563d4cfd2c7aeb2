"""Write zips whose bytes depend only on what is in them."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can contain
READABLE = 0o100644 << 16  # a regular file, rw-r--r--


def add(archive: ZipFile, files: Mapping[str, bytes]) -> None:
    """Add files by their names in the zip, with the same time and mode for all of them."""
    for name, content in files.items():
        entry = ZipInfo(name, EPOCH)
        entry.compress_type = ZIP_DEFLATED
        entry.external_attr = READABLE
        entry.create_system = 3  # Unix, also if it is built elsewhere
        archive.writestr(entry, content)


def files(folder: Path) -> Iterator[Path]:
    """Return every file below a folder, in an order that does not depend on the file system."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def place(made: Path, destination: Path) -> None:
    """Put a finished file in its place in one step: after two builds at once the file is complete too."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    beside = destination.with_name(f".{destination.name}.{os.getpid()}")
    try:
        shutil.copyfile(made, beside)
        beside.replace(destination)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
