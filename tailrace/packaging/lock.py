"""Locked dependencies: a file in which each line is one package with ``==`` and its hashes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tailrace.packaging.errors import PackageError
from tailrace.packaging.shipped import shipped
from tailrace.packaging.target import Target
from tailrace.version import __version__

LOCK = "requirements/forwarder.txt"
_HASH = re.compile(r"\s--hash=(sha256:[0-9a-f]{64})(?=\s|$)")
_COMMENT = re.compile(r"(^|\s)#.*")
OURS = "tailrace"  # a lock of the whole project names it too; its code comes from the installed package


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One package of a lock at one version, with the hashes that pip may accept."""

    name: str
    version: str
    extras: frozenset[str]
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"

    @property
    def line(self) -> str:
        return " ".join([str(self), *(f"--hash={one}" for one in self.hashes)])


Pins = Mapping[str, Pin]
"""Pins by the normalised name of the package."""


def our_pins(target: Target) -> Pins:
    """Return the dependencies of the forwarder."""
    return _pins(shipped(LOCK), target)


def all_pins(requirements: Path | None, target: Target) -> Pins:
    """
    Return the dependencies of the forwarder and those of the mappers.

    Raises:
        PackageError: a line of ``requirements`` is not locked, or needs another version than the forwarder.
    """
    ours = our_pins(target)
    theirs = _pins(requirements, target) if requirements else {}
    for name, pin in theirs.items():
        needed = __version__ if name == OURS else ours[name].version if name in ours else pin.version
        if pin.version != needed:
            raise PackageError(
                f"{requirements}: {pin} conflicts with {name}=={needed}, which Tailrace {__version__} needs. "
                f"{_remedy(requirements)}"
            )
    return {**{name: pin for name, pin in theirs.items() if name != OURS}, **ours}


def _pins(file: Path, target: Target) -> dict[str, Pin]:
    markers = target.markers()
    found: dict[str, Pin] = {}
    for line in _lines(file):
        pin, marker = _pin(line, file)
        if marker and not marker.evaluate(markers):
            continue
        if pin.name in found:
            raise PackageError(f"{file}: {pin.name} is there twice. {_remedy(file)}")
        found[pin.name] = pin
    return found


def _pin(line: str, file: Path) -> tuple[Pin, Marker | None]:
    hashes = tuple(_HASH.findall(line))
    words = _HASH.sub("", line)
    try:
        wanted = Requirement(words)
    except InvalidRequirement:
        raise PackageError(f"{file}: {words!r} is not of the form name==version. {_remedy(file)}") from None
    exact = [one for one in wanted.specifier if one.operator == "==" and not one.version.endswith("*")]
    if wanted.url or len(exact) != 1 or len(wanted.specifier) != 1:
        raise PackageError(f"{file}: {words!r} is not pinned to one version with ==. {_remedy(file)}")
    if not hashes:
        raise PackageError(f"{file}: {words} has no hash. {_remedy(file)}")
    pin = Pin(name=canonicalize_name(wanted.name), version=exact[0].version, extras=frozenset(wanted.extras), hashes=hashes)
    return pin, wanted.marker


def _lines(file: Path) -> Iterator[str]:
    """Yield the lines of a requirements file, each with its continuation lines, without comments."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PackageError(f"requirements: {file} cannot be read: {error}") from None
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        if words := _COMMENT.sub("", line).strip():
            yield words


def _remedy(file: Path | None) -> str:
    """Return the command that makes a lock which agrees with ours."""
    command = f"uv pip compile --universal --generate-hashes --no-emit-index-url -c {shipped(LOCK)}"
    return f"List the packages in requirements.in, and make the lock with: {command} requirements.in -o {file}"
