"""What ``make dist`` builds: the same bytes each time, with every tracked file of our packages and no other."""

import re
import sys
import tarfile
import tomllib
from email import message_from_bytes
from email.message import Message
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.specifiers import SpecifierSet

from tailrace.version import __version__
from tests.distribution.installation import uv
from tests.tracked import REPOSITORY, tracked

PACKAGES = ("tailrace", "tailer", "lambda_forwarder", "tailrace_cdk")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        return message_from_bytes(archive.read(f"tailrace-{__version__}.dist-info/METADATA"))


def test_wheel_holds_every_tracked_file_of_our_packages_and_no_other(wheel: Path) -> None:
    """Besides these only what pyproject.toml names, and the metadata."""
    ours = {str(path.relative_to(REPOSITORY)) for path in tracked()}
    expected = {name for name in ours if name.startswith(tuple(f"{package}/" for package in PACKAGES))}
    expected |= set(WHEEL.get("force-include", {}).values())
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.startswith(f"tailrace-{__version__}.dist-info/")}
    assert held == expected


def test_sdist_builds_the_same_bytes_elsewhere(built: Path, tmp_path: Path) -> None:
    """From another folder, with other permissions and other times of the files."""
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [source] = tmp_path.iterdir()
    for path in source.rglob("*.py"):
        path.chmod(0o600)
    uv("build", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(tmp_path / "again"), str(source))
    digests = [
        {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.glob("tailrace-*")}
        for folder in (built, tmp_path / "again")
    ]
    assert len(digests[0]) == 2
    assert digests[0] == digests[1]


def test_version_of_every_file_is_the_packages(built: Path) -> None:
    """It stands in ``tailrace/version.py`` and nowhere else."""
    assert {path.name for path in built.glob("tailrace-*")} == {
        f"tailrace-{__version__}.tar.gz",
        f"tailrace-{__version__}-py3-none-any.whl",
    }


def test_metadata_names_every_supported_python(metadata: Message) -> None:
    """The first classifier of a version is the lower bound."""
    named = [line.rpartition(" ")[2] for line in metadata.get_all("Classifier", []) if re.search(r"Python :: 3\.", line)]
    assert SpecifierSet(metadata["Requires-Python"]) == SpecifierSet(f">={named[0]}")
    assert named == sorted(named, key=lambda version: int(version.partition(".")[2]))


def test_description_has_no_link_that_leads_nowhere(metadata: Message) -> None:
    """An index shows the README without the files beside it."""
    text = str(metadata.get_payload())
    assert text.startswith("# Tailrace\n")
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert [link for link in links if not link.startswith("https://")] == []


def test_metadata_names_no_address_that_does_not_exist(metadata: Message) -> None:
    """The project has no page of its own."""
    assert metadata.get_all("Project-URL") is None
    assert metadata.get_all("License-File") == ["LICENSE", "NOTICE"]
