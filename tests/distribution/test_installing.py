"""The wheel in an empty environment outside the clone, on each supported Python."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tailrace.version import __version__
from tests.distribution.installation import InstalledWheel, install, uv
from tests.tracked import REPOSITORY

CLASSIFIERS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["classifiers"]
PYTHONS = re.findall(r"Python :: (3\.\d+)", "\n".join(CLASSIFIERS))
EVENTS = '''
"""The events of a shop."""

from tailrace import Change, DomainEvent, Mappers


class OrderPaid(DomainEvent, source="shop.orders"):
    """The customer paid."""

    order_id: str


def order_paid(change: Change) -> OrderPaid | None:
    """An order's status became ``paid``."""
    if not change.became("status", "paid"):
        return None
    return OrderPaid(order_id=str(change.document_key["_id"]))


MAPPERS: Mappers = {"orders": (order_paid,)}
'''
IMPORT_ALL = """
from importlib import import_module
from pkgutil import walk_packages

import lambda_forwarder, tailer, tailrace.packaging, tailrace.testing

for package in (lambda_forwarder, tailer, tailrace.packaging, tailrace.testing):
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        import_module(module.name)
"""
CHANGE = {
    "id": "82",
    "sequence": 1,
    "operationType": "update",
    "ns": {"db": "shop", "coll": "orders"},
    "clusterTime": "1795330890.3",
    "documentKey": {"_id": "o1"},
    "updateDescription": {"updatedFields": {"status": "paid"}},
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project of one module and one sample."""
    (tmp_path / "events.py").write_text(EVENTS)
    (tmp_path / "tailrace.toml").write_text('mappers = "events:MAPPERS"')
    (tmp_path / "sample.json").write_text(json.dumps(CHANGE))
    return tmp_path


@pytest.mark.parametrize("python", PYTHONS)
def test_wheel_runs_on_every_supported_python(installed_wheel: InstalledWheel, shop: Path, python: str) -> None:
    """A mapper of the user's makes an event."""
    installed = installed_wheel("dev", python=python)
    assert installed.run("python", "-c", "import sys; print(sys.version)", folder=shop).stdout.startswith(f"{python}.")
    assert installed.run("tailrace", "--version", folder=shop).stdout == f"tailrace, version {__version__}\n"
    assert installed.run("tailer", "--version", folder=shop).stdout == f"tailer {__version__}\n"
    assert "OrderPaid" in installed.run("tailrace", "try", "sample.json", folder=shop).stdout


@pytest.mark.parametrize(("line", "finding"), [("", ""), ("OrderPaid(order_id=1)\n", 'incompatible type "int"')])
def test_mypy_strict_checks_a_users_project(installed_wheel: InstalledWheel, shop: Path, line: str, finding: str) -> None:
    """Correct mappers pass, and a wrong type is found: the installed packages are typed."""
    (shop / "events.py").write_text(EVENTS + line)
    check = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(installed_wheel("dev").python), "events.py"]
    done = subprocess.run(
        check, cwd=shop, env=installed_wheel("dev").environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == bool(finding), done.stdout
    assert finding in done.stdout


@pytest.mark.parametrize(("extra", "program"), [("tailer", "tailer"), ("forwarder", "python -m lambda_forwarder")])
def test_extra_installs_all_that_its_program_imports(
    installed_wheel: InstalledWheel, shop: Path, extra: str, program: str
) -> None:
    """And not click, which the command ``tailrace`` asks for."""
    installed = installed_wheel(extra)
    installed.run(*program.split(), "--help", folder=shop)
    asked = installed.run("tailrace", "status", folder=shop, code=2)
    assert asked.stderr == "tailrace: the package click is not installed. Install it: pip install 'tailrace[dev]'\n"


def test_tailrace_without_extras_imports_its_public_names(installed_wheel: InstalledWheel, shop: Path) -> None:
    """A consumer that only reads events needs msgspec, also in its tests."""
    installed = installed_wheel("")
    installed.run("python", "-c", "import events, tailrace.consuming; print(events.MAPPERS)", folder=shop)
    uv("pip", "install", "--python", str(installed.python), "--constraints", "requirements/dev.txt", "pytest")
    (shop / "test_events.py").write_text(
        "from events import MAPPERS\n\ndef test_keys() -> None:\n    assert set(MAPPERS) == {'orders'}"
    )
    assert "1 passed" in installed.run("python", "-m", "pytest", "-q", folder=shop).stdout


def test_wheel_runs_with_the_oldest_versions_that_it_admits(wheel: Path, shop: Path) -> None:
    """Every module of the tailer, the forwarder, packaging and testing imports with the lower bounds of pyproject.toml."""
    oldest = shop / "oldest.txt"
    lowest = ("--python-version", PYTHONS[0], "--resolution", "lowest-direct", "--only-binary", ":all:")
    uv("pip", "compile", *lowest, "--extra", "dev", "--output-file", str(oldest), "pyproject.toml")
    installed = install(wheel, shop / "oldest", "dev", PYTHONS[0], [oldest])
    installed.run("python", "-c", IMPORT_ALL, folder=shop)
    assert "OrderPaid" in installed.run("tailrace", "try", "sample.json", folder=shop).stdout
