"""The locked dependencies of a package as a zip of their own, made once for each lock and target."""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from zipfile import ZipFile

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tailrace.packaging import archive, components, trimming
from tailrace.packaging.errors import PackageError
from tailrace.packaging.lock import Pin, Pins, our_pins
from tailrace.packaging.target import Target
from tailrace.text.terminal import announced
from tailrace.version import __version__

Make = Callable[[Path, Path], Callable[[Path], bool]]
APPLICATION = "tailrace-forwarder"  # in the list of components
CODE = "/var/task"  # the folder that Lambda unpacks the zip to


def layer(pins: Pins, target: Target, cache: Path) -> Path:
    """
    Return the zip of these dependencies, with their licences and the list of components.

    Raises:
        PackageError: pip could not install a package, or a package needs another that is not in the lock.
    """
    compiler = target.interpreter

    def make(installed: Path, report: Path) -> Callable[[Path], bool]:
        refuse_incomplete(pins, target, installed)
        components.write(APPLICATION, __version__, installed, report)
        components.keep_licences(installed)
        if compiler:
            _compile(installed, compiler)
        return trimming.is_needed(installed, our_pins(target))

    return _cached(("trimmed", compiler is not None), pins, target, cache, make)


def with_native_code(layer: Path, pins: Pins) -> dict[str, Pin]:
    """Return the pins whose wheels in a layer are for one platform only."""
    listed = json.loads(ZipFile(layer).read(components.FILE))["components"]
    wheels = {one["name"]: one["properties"][0]["value"] for one in listed}
    return {name: pin for name, pin in pins.items() if not wheels[name].endswith("-none-any.whl")}


def whole(pins: Pins, target: Target, cache: Path) -> Path:
    """Return the zip of all files of these packages, without those that they need."""
    return _cached("whole", pins, target, cache, lambda *_: lambda _: True)


def _cached(recipe: object, pins: Pins, target: Target, cache: Path, make: Make) -> Path:
    """Return the zip of the installed pins. ``make`` adds files, and returns the test of the files to pack."""
    code = "".join(Path(file).read_text() for file in (__file__, archive.__file__, components.__file__, trimming.__file__))
    inputs = (recipe, [pin.line for pin in pins.values()], code, __version__, target)
    made = cache / f"dependencies-{hashlib.sha256(repr(inputs).encode()).hexdigest()[:16]}.zip"
    if made.exists():
        return made
    with tempfile.TemporaryDirectory(prefix="tailrace-package-") as temporary:
        installed, report, zipped = (Path(temporary) / name for name in ("installed", "report.json", "layer.zip"))
        _install(pins, target, installed, report)
        needed = make(installed, report)
        with ZipFile(zipped, "w") as layer:
            for path in archive.files(installed):
                if needed(inside := path.relative_to(installed)):
                    archive.add(layer, {inside.as_posix(): path.read_bytes()})
        archive.place(zipped, made)
    return made


def _install(pins: Pins, target: Target, folder: Path, report: Path) -> None:
    """Install wheels of exactly these pins. Their markers and dependencies are ours to check: pip would use its own Python."""
    listed = report.with_name("pins.txt")
    listed.write_text("".join(f"{pin.line}\n" for pin in pins.values()))
    quiet = ["--quiet", "--disable-pip-version-check", "--no-compile", "--no-input", "--report", str(report)]
    place = ["--target", str(folder), "--only-binary=:all:", "--implementation", "cp", "--python-version", target.python]
    if target.platform:
        place += ["--platform", target.platform]
    pip = [sys.executable, "-P", "-m", "pip", "install", *quiet, *place, "--no-deps", "--require-hashes", "-r", str(listed)]
    with announced(f"installing {len(pins)} packages for Python {target.python} on {target.platform or 'this machine'}"):
        done = subprocess.run(pip, capture_output=True, text=True, check=False)  # noqa: S603
    if "No module named pip" in done.stderr:
        raise PackageError("pip is not installed in this environment. Run: python -P -m ensurepip, or uv pip install pip")
    if done.returncode:
        shown = ("ERROR: ", "    ")  # pip indents the packages that an error is about
        said = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith(shown)]
        problem = "\n  ".join(said or [done.stderr.strip()])
        raise PackageError(
            f"pip could not install the locked dependencies for Python {target.python} on {target.platform or 'this machine'}. "
            f"Each of them needs a wheel for that target:\n  {problem}"
        )


def refuse_incomplete(pins: Pins, target: Target, installed: Path) -> None:
    """Refuse a lock that lacks what its packages need on the target, or has it at a version that they do not work with."""
    markers = target.markers()
    found: dict[str, Distribution] = {canonicalize_name(one.name): one for one in distributions(path=[str(installed)])}
    wanted: list[tuple[str, frozenset[str]]] = [(name, pin.extras) for name, pin in pins.items()]
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        name, extras = wanted.pop()
        if (name, extras) in seen or name not in found:
            continue
        seen.add((name, extras))
        for line in found[name].requires or ():
            needs = Requirement(line)
            if needs.marker and not any(needs.marker.evaluate({**markers, "extra": extra}) for extra in extras or {""}):
                continue
            pin = _fitting(name, needs, pins)
            wanted.append((pin.name, frozenset(needs.extras)))


def _fitting(name: str, needs: Requirement, pins: Mapping[str, Pin]) -> Pin:
    pin = pins.get(canonicalize_name(needs.name))
    if pin is None:
        raise PackageError(f"{name} needs {needs}, which is not in the lock. Make the lock of the mappers again, whole")
    if not needs.specifier.contains(pin.version, prereleases=True):
        raise PackageError(f"{name} needs {needs}, and the lock has {pin}. Make the lock of the mappers again")
    return pin


def _compile(installed: Path, compiler: str) -> None:
    """Compile in advance: the function's file system is read-only, so each cold start would compile again (half a second)."""
    ahead = [compiler, "-P", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    # A package may hold code that no Python of the target can compile, such as a template. It stays as it is.
    subprocess.run([*ahead, "-s", str(installed), "-p", CODE, str(installed)], capture_output=True, check=False)  # noqa: S603
