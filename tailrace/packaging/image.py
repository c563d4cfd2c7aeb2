"""The folder that the image of the functions is built from: for a package that is larger than a zip may be."""

import hashlib
import re
import tarfile
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from tailrace.packaging.archive import place
from tailrace.packaging.dependencies import CODE
from tailrace.packaging.errors import PackageError
from tailrace.packaging.package import Package, build
from tailrace.packaging.target import LAMBDA_PLATFORM, LAMBDA_PYTHON
from tailrace.project import Project

FILES = "package.tar"
DOCKERFILE = "Dockerfile"
EPOCH = 315_532_800  # seconds: 1980-01-01, the time of the files in the zip
RECIPE = f"""\
ARG BASE={{base}}
FROM ${{{{BASE}}}}
ADD {FILES} {CODE}/
# A stack names the handler of each function in place of this one.
CMD ["lambda_forwarder.handlers.sqs.handler"]
"""


def package_of(
    project: Project,
    output: Path | None = None,
    *,
    python: str = LAMBDA_PYTHON,
    platform: str | None = LAMBDA_PLATFORM,
    cache: Path | None = None,
) -> Package:
    """
    Build what a deployment of the project takes: ``dist/PROJECT.zip``, or ``dist/PROJECT-image`` if it has a ``base_image``.

    The mappers are imported from it. The same inputs give the same bytes.

    Raises:
        PackageError: a file, a setting or the mappers would not work in Lambda. Nothing was written.
    """
    dist = project.folder / "dist"
    if not project.base_image:
        return build(project, output or dist / f"{project.name}.zip", python=python, platform=platform, cache=cache)
    folder = output or dist / f"{project.name}-image"
    _refuse_other_python(project.base_image, python)
    _refuse_other_files(folder)
    with tempfile.TemporaryDirectory(prefix="tailrace-image-") as temporary:
        zipped = build(project, Path(temporary, "package.zip"), python=python, platform=platform, cache=cache)
        files, dockerfile = Path(temporary, FILES), Path(temporary, DOCKERFILE)
        _write_tar(zipped.path, files)
        dockerfile.write_text(RECIPE.format(base=project.base_image))
        with files.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        for made in (files, dockerfile):
            place(made, folder / made.name)
    return replace(zipped, path=folder, sha256=digest)


def _write_tar(zipped: Path, output: Path) -> None:
    """Write the files of a zip as a tar, which a Dockerfile unpacks without running a program of the image."""
    with ZipFile(zipped) as source, tarfile.open(output, "w") as target:
        for entry in source.infolist():
            file = tarfile.TarInfo(entry.filename)
            file.size, file.mtime, file.mode = entry.file_size, EPOCH, 0o644
            target.addfile(file, BytesIO(source.read(entry)))


def _refuse_other_python(base_image: str, python: str) -> None:
    if not re.search(rf":{re.escape(python)}\b", base_image):
        raise PackageError(
            f"base_image: the tag of {base_image} is not of Python {python}, for which the package is. Name the image as "
            f"NAME:{python}@sha256:DIGEST"
        )


def _refuse_other_files(folder: Path) -> None:
    """Refuse a folder of something else: its Dockerfile would be replaced."""
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if found and FILES not in found:
        raise PackageError(f"{folder} is not empty, and no folder of an image. Name a new folder with --output")
