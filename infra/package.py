"""
Build the forwarder's zip for Lambda: our two packages, their locked dependencies with their licences, and the list of
components (``sbom.cdx.json``, CycloneDX).

    python -P -m infra.package --output dist/forwarder.zip --python 3.13 --platform manylinux2014_aarch64

The same inputs give the same bytes, so a deployment changes the functions only if the code changed. The dependencies are cached
as a zip of their own: after a change of our source only our source is added again.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from infra.supply import components

REPOSITORY = Path(__file__).resolve().parents[1]
VERSION = (REPOSITORY / "tailrace/version.py").read_text().split('"')[-2]  # read as text: an import of tailrace needs msgspec
LOCK = REPOSITORY / "requirements" / "forwarder.txt"
SOURCES = ("tailrace", "lambda_forwarder")
TERMS = ("LICENSE", "NOTICE")
CACHE = REPOSITORY / "dist" / "cache"

LAMBDA_PYTHON = "3.13"
LAMBDA_PLATFORM = "manylinux2014_aarch64"
UNZIPPED_LIMIT = 262_144_000  # bytes, Lambda, a zip package unpacked

# The services whose models are in the zip. boto3 is in it because the runtime's boto3 may be older than the eventbridgev2
# client; its models of 400 other services are not.
CLIENTS = frozenset({"events", "eventbridgev2", "sqs", "dynamodb", "s3", "sts"})
UNUSED_FOLDERS = frozenset({"tests", "bin", "boto3/examples"})
# The function uses the metrics of Powertools. The rest, for example a web page of 1.5 MB, is left out.
POWERTOOLS = frozenset({"exceptions", "logging", "metrics", "shared", "tracing", "warnings", "utilities/jmespath_utils"})
UNUSED_SUFFIXES = (".pyi", "examples-1.json")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can contain
READABLE = 0o100644 << 16  # a regular file, rw-r--r--


def build(output: Path, python: str = LAMBDA_PYTHON, platform: str | None = LAMBDA_PLATFORM, cache: Path = CACHE) -> Path:
    """
    Write the package for one Python version ("3.13") and one platform tag (none: this machine's) to ``output``.

    Raises:
        subprocess.CalledProcessError: pip could not install the locked dependencies; pip has printed the reason.
        ValueError: the package is larger than Lambda allows.
    """
    layer = _dependencies(python, platform, cache)
    with tempfile.TemporaryDirectory(prefix="tailrace-package-") as folder:
        package = Path(folder) / "forwarder.zip"
        shutil.copyfile(layer, package)
        with ZipFile(package, "a") as archive:
            for source in SOURCES:
                _add(archive, REPOSITORY, (path for path in _files(REPOSITORY / source) if path.suffix != ".pyc"))
            _add(archive, REPOSITORY, (REPOSITORY / name for name in TERMS))
            unzipped = sum(entry.file_size for entry in archive.infolist())
        if unzipped > UNZIPPED_LIMIT:
            raise ValueError(f"the package has {unzipped:,} bytes unpacked; Lambda allows {UNZIPPED_LIMIT:,}")
        _place(package, output)
    return output


def _dependencies(python: str, platform: str | None, cache: Path) -> Path:
    """Return the zip of the trimmed dependencies, made once for each lock, target and version of this file."""
    compiler = interpreter(python)
    code = "".join(Path(file).read_text() for file in (__file__, components.__file__))
    recipe = (LOCK.read_text(), code, VERSION, python, platform, compiler is not None)
    layer = cache / f"dependencies-{hashlib.sha256(repr(recipe).encode()).hexdigest()[:16]}.zip"
    if layer.exists():
        return layer
    with tempfile.TemporaryDirectory(prefix="tailrace-package-") as folder:
        installed = Path(folder) / "installed"
        report = Path(folder) / "report.json"
        _install(installed, report, python, platform)
        components.write("tailrace-forwarder", VERSION, installed, report)
        components.keep_licences(installed)
        if compiler:
            _compile(installed, compiler)
        made = Path(folder) / "layer.zip"
        with ZipFile(made, "w") as archive:
            _add(archive, installed, (path for path in _files(installed) if _needed(path.relative_to(installed))))
        _place(made, layer)
    return layer


def _install(target: Path, report: Path, python: str, platform: str | None) -> None:
    quiet = ["--quiet", "--disable-pip-version-check", "--no-compile", "--report", str(report)]
    place = ["--target", str(target), "--only-binary=:all:", "--implementation", "cp", "--python-version", python]
    if platform:
        place += ["--platform", platform]
    pip = [sys.executable, "-m", "pip", "install", *quiet, *place, "--require-hashes", "-r", str(LOCK)]
    subprocess.run(pip, check=True)  # noqa: S603


def interpreter(python: str) -> str | None:
    """Return an interpreter of this version: the one that runs now, or one on PATH."""
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = shutil.which(f"python{python}")
    asked = found and subprocess.run([found, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    return found if asked and asked.stdout.startswith(f"Python {python}.") else None


def _compile(installed: Path, compiler: str) -> None:
    """Compile in advance: the function's file system is read-only, so each cold start would compile again (half a second)."""
    ahead = [compiler, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*ahead, "-s", str(installed), "-p", "/var/task", str(installed)], check=True)  # noqa: S603


def _needed(path: Path) -> bool:
    """Whether the function can use a file of its dependencies. The path is relative to the root of the package."""
    if path.name.endswith(UNUSED_SUFFIXES) or path.parts[0].endswith(".dist-info"):
        return False
    if UNUSED_FOLDERS.intersection((*path.parts, "/".join(path.parts[:2]))):
        return False
    if path.parts[0] == "aws_lambda_powertools":
        *folders, _ = (part for part in path.parts[1:] if part != "__pycache__")
        return not folders or folders == ["utilities"] or bool(POWERTOOLS.intersection((folders[0], "/".join(folders[:2]))))
    is_model = path.parts[:2] in {("botocore", "data"), ("boto3", "data")} and len(path.parts) > 3
    return path.parts[2] in CLIENTS if is_model else True


def _files(folder: Path) -> Iterator[Path]:
    """Return every file below a folder, in an order that does not depend on the file system."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _add(archive: ZipFile, root: Path, files: Iterable[Path]) -> None:
    for path in files:
        entry = ZipInfo(path.relative_to(root).as_posix(), EPOCH)
        entry.compress_type = ZIP_DEFLATED
        entry.external_attr = READABLE
        entry.create_system = 3  # Unix, also if it is built elsewhere
        archive.writestr(entry, path.read_bytes())


def _place(made: Path, destination: Path) -> None:
    """Put a finished file in its place in one step: after two builds at once the file is complete too."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    beside = destination.with_name(f".{destination.name}.{os.getpid()}")
    shutil.copyfile(made, beside)
    beside.replace(destination)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -P -m infra.package", description="Build the forwarder Lambda's zip.")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "dist" / "forwarder.zip", metavar="FILE")
    parser.add_argument("--python", default=LAMBDA_PYTHON, help="the runtime's version (default: %(default)s)")
    parser.add_argument("--platform", default=LAMBDA_PLATFORM, help="pip's platform tag (default: %(default)s)")
    chosen = parser.parse_args()
    package = build(chosen.output, chosen.python, chosen.platform)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    if not interpreter(chosen.python):
        print(f"There is no python{chosen.python} here to compile with: a cold start takes half a second longer.")  # noqa: T201
    print(f"{package}  {package.stat().st_size:,} bytes  sha256 {digest}")  # noqa: T201


if __name__ == "__main__":
    main()
