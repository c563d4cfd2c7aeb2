"""Import the mappers from a finished package, as Lambda would."""

import difflib
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import msgspec

from tailrace.catalogue import Catalogue
from tailrace.packaging import inside
from tailrace.packaging.dependencies import whole, with_native_code
from tailrace.packaging.errors import PackageError
from tailrace.packaging.lock import Pins
from tailrace.packaging.target import Target, running_python
from tailrace.project import Project
from tailrace.text.redaction import redacted
from tailrace.text.terminal import announced

IMPORT_SECONDS = 60  # Lambda ends a start after 10 s
ENVIRONMENT = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
"""The variables of the check: none of this process, which may hold secrets, and which a function does not have."""


def catalogue_of(package: Path, layer: Path, project: Project, *, pins: Pins, target: Target, cache: Path) -> Catalogue:
    """
    Return the catalogue of the project's mappers, imported from the package.

    A fresh isolated interpreter imports them. It has no package but those of the unpacked zip, so a dependency that the zip
    lacks is always found, also if this environment has it. If the zip is for another platform or Python, wheels for
    this machine replace the packages with native code. They are of the same versions and only those that are in the zip.

    The interpreter is of the target's Python version if this machine has one, else it is the one that runs now.

    Raises:
        PackageError: the mappers cannot be imported, or are no table of mappers.
    """
    python = target.interpreter
    with tempfile.TemporaryDirectory(prefix="tailrace-check-") as temporary:
        folder = Path(temporary).resolve()
        unpacked = [folder / "package"]
        ZipFile(package).extractall(unpacked[0])
        if not python or not target.is_this_machine:
            here = Target(python=target.python if python else running_python(), platform=None)
            native = whole(with_native_code(layer, pins), here, cache)
            unpacked.insert(0, folder / "native")
            ZipFile(native).extractall(unpacked[0])
        found = _report(python or sys.executable, project.mappers, unpacked, folder / "report.json")
    if "problem" in found:
        raise PackageError(f"mappers: {project.mappers}: {_problem(found, project)}")
    return msgspec.convert(found["catalogue"], Catalogue)


def _report(python: str, mappers: str, unpacked: list[Path], result: Path) -> dict[str, Any]:
    """Run ``inside.py`` with nothing but the unpacked folders, and return what it wrote."""
    command = [python, "-I", "-S", "-B", inside.__file__, str(result), mappers, *map(str, unpacked)]
    try:
        with announced(f"importing {mappers} from the zip; the limit is {IMPORT_SECONDS} s"):
            done = subprocess.run(  # noqa: S603
                command, env=ENVIRONMENT, cwd=unpacked[-1], capture_output=True, text=True, check=False, timeout=IMPORT_SECONDS
            )
    except subprocess.TimeoutExpired:
        return {"problem": "ended", "text": f"their import did not end within {IMPORT_SECONDS} s, and Lambda allows 10 s"}
    if done.returncode or not result.exists():
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return {"problem": "ended", "text": f"their import ended the interpreter: {last}"}
    found: dict[str, Any] = msgspec.json.decode(result.read_bytes())
    return found


def _problem(found: dict[str, Any], project: Project) -> str:
    match found["problem"]:
        case "module":
            return _missing(found["name"], found["importer"], project)
        case "name":
            wanted = project.mappers.partition(":")[2]
            close = difflib.get_close_matches(wanted, found["names"], n=1)
            return f"the module has no {wanted}" + (
                f"; did you mean {close[0]}?" if close else "; define it, or correct mappers"
            )
        case "syntax":
            return f"{found['file']}, line {found['line']}, is not valid Python: {found['text']}. Correct it"
        case "error":
            return f"{found['importer']}, raises {redacted(found['text'])}. Correct it: the function would not start"
        case "table":
            return f"{found['text']}. A table is a mapping from collections to their mappers"
        case "empty":
            return "the table has no mapper, so no change would become an event. Add a collection with its mappers"
        case "events":
            return f"the events of the mappers cannot be described: {found['text']}. Correct the class or the annotation"
        case _:
            return f"{found['text']}. A module of mappers only defines classes and functions"


def _missing(module: str, importer: str, project: Project) -> str:
    """Return the sentence about a module that is not in the package."""
    top = module.partition(".")[0]
    root = next((root for root in (project.folder, project.folder / "src") if (root / top).is_dir() or _file(root, top)), None)
    if top in sys.stdlib_module_names:
        return f"{importer}, imports {module}, which the function's Python does not have. Use another module"
    if root:
        return (
            f"{importer}, imports {module}, which is in the project but not in the package. Add it to sources in tailrace.toml"
        )
    if module in project.mappers.partition(":")[0]:
        return f"there is no module {module} in the project. Create it, or correct mappers or sources in tailrace.toml"
    where = "only in this environment, not in the package" if _is_here(top) else "not in the package"
    return f"{importer}, imports {module}, which is {where}. Add its package to the file of requirements in tailrace.toml"


def _file(root: Path, top: str) -> bool:
    return (root / f"{top}.py").is_file()


def _is_here(top: str) -> bool:
    try:
        return find_spec(top) is not None
    except (ImportError, ValueError):
        return False
