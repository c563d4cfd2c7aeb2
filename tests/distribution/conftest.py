"""The distribution: the sdist and the wheel of this checkout, and environments in which the wheel is installed."""

import sys
from functools import cache
from pathlib import Path

import pytest

from tests.distribution.installation import Installed, InstalledWheel, install, uv

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="session")
def built(services: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist and the wheel, as ``make dist`` builds them."""
    folder = tmp_path_factory.mktemp("distribution")
    uv("build", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(folder))
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    [found] = built.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> InstalledWheel:
    """
    Install the wheel with an extra into an empty environment outside the clone, once for each extra and version of Python:
    ``installed_wheel("dev").run("tailrace", "--version", folder=tmp_path)``.
    """

    @cache
    def installed(extra: str = "dev", *, python: str = THIS) -> Installed:
        return install(wheel, tmp_path_factory.mktemp("installed") / f"{extra}-{python}", extra, python)

    return installed
