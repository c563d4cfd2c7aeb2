"""Build a project's package for Lambda, check it, and put it in place."""

import hashlib
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from tailrace.catalogue import Catalogue
from tailrace.packaging import sources
from tailrace.packaging.archive import add, place
from tailrace.packaging.check import catalogue_of
from tailrace.packaging.dependencies import layer
from tailrace.packaging.errors import PackageError
from tailrace.packaging.keys import unwatched
from tailrace.packaging.lock import all_pins
from tailrace.packaging.target import LAMBDA_PLATFORM, LAMBDA_PYTHON, Target
from tailrace.project import FILE, Project

UNZIPPED_LIMIT = 262_144_000  # bytes, Lambda, a zip package unpacked, with all its layers
IMAGE_LIMIT = 10_737_418_240  # bytes, Lambda, all layers of a container image unpacked, with those of its base
CACHE = Path("dist", "cache")  # in the project's folder
LARGEST = 5  # packages that an error about the size names
BUILDING = "building the package; its dependencies are installed once, which takes about half a minute"


@dataclass(frozen=True, kw_only=True)
class Package:
    """
    A zip whose mappers were imported from it, or the folder that an image with the files of such a zip is built from.

    ``unzipped_bytes`` is what Lambda limits, ``sha256`` the digest of the files as a zip or as a tar.
    """

    path: Path
    sha256: str
    unzipped_bytes: int
    catalogue: Catalogue

    @property
    def is_image(self) -> bool:
        return self.path.is_dir()


def build(
    project: Project,
    output: Path,
    *,
    python: str = LAMBDA_PYTHON,
    platform: str | None = LAMBDA_PLATFORM,
    cache: Path | None = None,
) -> Package:
    """
    Write the package of a project for one Python version and one platform tag to ``output``, as a zip.

    Without a platform it is for this machine. The same inputs give the same bytes. Dependencies are kept in ``cache``, by
    default ``dist/cache`` of the project: after a change of a mapper nothing is installed again.

    Raises:
        PackageError: a file, a setting or the mappers would not work in Lambda. Nothing was written.
    """
    target = Target(python=python, platform=platform)
    kept = cache or project.folder / CACHE
    pins = all_pins(project.requirements, target)
    dependencies = layer(pins, target, kept)
    with tempfile.TemporaryDirectory(prefix="tailrace-package-") as folder:
        made = Path(folder) / "package.zip"
        shutil.copyfile(dependencies, made)
        _add_sources(made, project)
        unzipped = _unzipped_bytes(made, project)
        catalogue = catalogue_of(made, dependencies, project, pins=pins, target=target, cache=kept)
        if problems := list(unwatched(catalogue.keys, project)):
            raise PackageError("\n".join(problems))
        place(made, output)
        with made.open("rb") as zipped:
            digest = hashlib.file_digest(zipped, "sha256").hexdigest()
    return Package(path=output, sha256=digest, unzipped_bytes=unzipped, catalogue=catalogue)


def _add_sources(made: Path, project: Project) -> None:
    """Add our files and those of the project. A project's file replaces no part of the package."""
    ours, theirs = sources.ours(), sources.contents(project.folder, project.sources)
    with ZipFile(made, "a") as archive:
        parts = {_part(name) for name in (*archive.namelist(), *ours)}
        if taken := sorted({_part(name) for name in theirs} & parts):
            raise PackageError(f"sources: {taken[0]} is also the name of a part of the package. Rename yours")
        add(archive, {**{name: path.read_bytes() for name, path in ours.items()}, **theirs})


def _part(name: str) -> str:
    """Return the name that a module or package at the root is imported by."""
    return name.partition("/")[0].removesuffix(".py")


def _unzipped_bytes(made: Path, project: Project) -> int:
    """Return the size of the unpacked package; refuse one that is larger than Lambda allows."""
    sizes: Counter[str] = Counter()
    for entry in ZipFile(made).infolist():
        sizes[entry.filename.partition("/")[0]] += entry.file_size
    limit, included = (IMAGE_LIMIT, "its base image") if project.base_image else (UNZIPPED_LIMIT, "layers")
    if sizes.total() > limit:
        largest = ", ".join(f"{name} {size:,}" for name, size in sizes.most_common(LARGEST))
        image = "" if project.base_image else f", or set base_image in {FILE}: a container image may have {IMAGE_LIMIT:,} bytes"
        raise PackageError(
            f"the package has {sizes.total():,} bytes unpacked; Lambda allows {limit:,}, {included} included. "
            f"Its largest parts: {largest}. "
            f"Remove from the requirements what the mappers can do without: they are pure functions{image}"
        )
    return sizes.total()
