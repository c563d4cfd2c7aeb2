"""The distribution: the sdist and the wheel of this checkout, and environments in which the wheel is installed."""

import os
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.distribution.installation import Installed, InstalledWheel, install, once, uv
from tests.distribution.new_project import Shop, initialise

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="session")
def shared(services: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all processes that run these tests: what takes seconds is made there once."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def built(shared: Path) -> Path:
    """The folder with the sdist and the wheel, as ``make dist`` builds them."""
    build = ("build", "--no-build-isolation", "--python", sys.executable, "--out-dir")
    return once(shared / "distribution", lambda folder: uv(*build, str(folder)))


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    [found] = built.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed_wheel(wheel: Path, shared: Path) -> InstalledWheel:
    """
    Install the wheel with an extra into an empty environment outside the clone, once for each extra and version of Python:
    ``installed_wheel("dev").run("tailrace", "--version", folder=tmp_path)``.
    """

    @cache
    def installed(extra: str = "dev", *, python: str = THIS) -> Installed:
        folder = shared / f"installed-{extra}-{python}"
        return Installed(folder=once(folder, lambda folder: install(wheel, folder, extra, python)))

    return installed


@pytest.fixture(scope="session")
def initialised(installed_wheel: InstalledWheel, shared: Path) -> Path:
    """The project that ``tailrace init shop --collection orders`` writes into an empty folder."""
    return once(shared / "team", lambda folder: initialise(installed_wheel("dev"), folder)) / "shop"


@pytest.fixture
def shop(initialised: Path, tmp_path: Path) -> Shop:
    """A copy of that project."""
    return Shop.copied(initialised, tmp_path)
