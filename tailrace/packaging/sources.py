"""The files of a package that are no dependency: ours, from where they are installed, and those of the project."""

import os
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

from tailrace.packaging.errors import PackageError
from tailrace.packaging.shipped import shipped

TOOLS = frozenset({"cli", "dev", "packaging", "project", "pytest_plugin.py", "testing"})
"""The parts of ``tailrace`` that are of no use in the forwarder."""

TERMS = ("LICENSE", "NOTICE")
PYTHONS_OWN = ("__pycache__", "*.pyc", "*.egg-info", "node_modules")
SECRETS = (
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.kdbx",
    "*.tfstate",
    "*.tfvars",
    "id_rsa*",
    "id_ed25519*",
    "credentials*",
)
Files = dict[str, Path]


def ours() -> Files:
    """Return our files by their names in the zip."""
    found: Files = {}
    for package in ("tailrace", "lambda_forwarder"):
        root = _folder(package)
        paths = {path.relative_to(root): path for path in _below(root)}
        found |= {f"{package}/{inside.as_posix()}": path for inside, path in paths.items() if inside.parts[0] not in TOOLS}
    return found | {name: shipped(name) for name in TERMS}


def of_project(folder: Path, sources: Sequence[Path]) -> Files:
    """
    Return the project's files by their names in the zip: each source lies at the root under its own name.

    Hidden files, virtual environments, compiled code and files named like secrets are left out.

    Raises:
        PackageError: a source does not exist, is one of the files that are left out, or leads out of the project's folder.
    """
    found: Files = {}
    for source in sources:
        if not source.exists():
            raise PackageError(f"sources: {source} does not exist. Correct sources in tailrace.toml")
        if _is_left_out(source):
            raise PackageError(f"sources: {source} is never packed: it is hidden, generated or may be a secret. Remove it")
        for path in _below(source):
            name = path.relative_to(source.parent).as_posix()
            _refuse_outside(path, folder)
            if name in found:
                raise PackageError(f"sources: {path} and {found[name]} would both be {name} in the zip. Rename one of them")
            if not _is_left_out(path.resolve()):
                found[name] = path
    return found


def contents(folder: Path, sources: Sequence[Path]) -> dict[str, bytes]:
    """
    Return what is in the project's files, by their names in the zip.

    Raises:
        PackageError: as ``of_project``, or a file changed while they were read.
    """
    files = of_project(folder, sources)
    try:
        before = _state(files)
        read = {name: path.read_bytes() for name, path in files.items()}
        unchanged = before == _state(of_project(folder, sources))
    except OSError as error:
        raise PackageError(f"sources: {error.filename} cannot be read: {error.strerror}") from None
    if not unchanged:
        raise PackageError(f"sources: a file in {folder} changed while it was packed. Run the command again")
    return read


def _state(files: Mapping[str, Path]) -> dict[str, tuple[int, int]]:
    """Return size and time of each file."""
    found = {name: path.stat() for name, path in files.items()}
    return {name: (status.st_size, status.st_mtime_ns) for name, status in found.items()}


def _below(source: Path) -> Iterator[Path]:
    """Yield the files of a file or folder, sorted."""
    if source.is_file():
        yield source
        return
    for here, folders, names in os.walk(source):
        parent = Path(here)
        for folder in folders:
            if (linked := parent / folder).is_symlink():
                raise PackageError(
                    f"sources: {linked} is a link to a folder, which is not followed. Name the folder in sources"
                )
        folders[:] = sorted(name for name in folders if not _is_left_out(parent / name))
        yield from (path for name in sorted(names) if not _is_left_out(path := parent / name))


def _is_left_out(path: Path) -> bool:
    patterns = (*PYTHONS_OWN, *SECRETS)
    return (
        path.name.startswith(".") or any(fnmatch(path.name.lower(), one) for one in patterns) or (path / "pyvenv.cfg").exists()
    )


def _refuse_outside(path: Path, folder: Path) -> None:
    real = path.resolve()
    if folder.resolve() not in real.parents:
        raise PackageError(f"sources: {path} leads to {real}, outside of the project's folder. Copy the file into the project")


def _folder(package: str) -> Path:
    spec = find_spec(package)
    locations = spec and spec.submodule_search_locations
    assert locations, package  # noqa: S101 - part of this distribution
    return Path(locations[0])
