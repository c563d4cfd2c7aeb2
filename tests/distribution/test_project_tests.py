"""The tests of a user's project, with the wheel and a pytest of the user's own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.distribution.installation import Installed, InstalledWheel, uv
from tests.tracked import REPOSITORY

RUN = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_events.py")


@pytest.fixture(scope="module")
def installed(installed_wheel: InstalledWheel) -> Installed:
    environment = installed_wheel("dev,cdk")
    uv("pip", "install", "--python", str(environment.python), "--constraints", "requirements/dev.txt", "pytest")
    return environment


@pytest.fixture
def razors(tmp_path: Path) -> Path:
    """The project of the example, outside the clone."""
    return Path(shutil.copytree(REPOSITORY / "examples" / "razors", tmp_path / "razors"))


def test_project_tests_its_mappers(installed: Installed, razors: Path) -> None:
    """The plugin is there without a line of configuration. A snapshot that is missing is written on request."""
    installed.run(*RUN, folder=razors)
    shutil.rmtree(razors / "tests" / "snapshots")
    assert "there is no snapshot" in installed.run(*RUN, folder=razors, code=1).stdout
    installed.run(*RUN, folder=razors, TAILRACE_UPDATE_SNAPSHOTS="1")
    snapshots = Path("tests", "snapshots", "test_events")
    written = {path.name: path.read_text() for path in (razors / snapshots).iterdir()}
    assert written == {path.name: path.read_text() for path in (REPOSITORY / "examples" / "razors" / snapshots).iterdir()}


def test_project_passes_mypy_in_its_strict_mode(installed: Installed, razors: Path) -> None:
    """With its consumers, its tests and their fixtures: the installed packages are typed."""
    check = [sys.executable, "-m", "mypy", "--python-executable", str(installed.python)]
    done = subprocess.run(check, cwd=razors, env=installed.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
