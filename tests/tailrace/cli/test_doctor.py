"""``tailrace doctor`` in a project: the tailer's checks, and a check of the project's package."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tailrace.cli import program
from tests.tailrace.packaging import shop


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, services: None) -> Path:
    """A project whose dependencies are installed already, without the settings of a tailer."""
    shop.CACHE.mkdir(parents=True, exist_ok=True)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "cache").symlink_to(shop.CACHE)
    monkeypatch.chdir(shop.write(tmp_path))
    return tmp_path


def findings() -> dict[str, dict[str, str]]:
    """Return what the doctor reports, by the name of the check. Without settings it ends with 2 in any case."""
    done = CliRunner().invoke(program.tailrace, ["doctor", "--json"])
    assert done.exit_code == 2, done.output
    return {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_package_of_the_project_is_checked_beside_the_settings(folder: Path) -> None:
    found = findings()
    assert found["settings"]["state"] == "FAIL"
    assert found["package"]["state"] == "ok"
    assert found["package"]["found"].startswith("events:MAPPERS: ")


def test_mistake_in_the_mappers_is_reported_with_its_name_and_remedy(folder: Path) -> None:
    """As by ``tailrace package``."""
    (folder / "events.py").write_text(shop.EVENTS.replace('"orders":', '"ordres":'))
    found = findings()["package"]
    assert found["state"] == "FAIL"
    assert "'ordres' of the mappers; did you mean shop.orders?" in found["found"]


def test_outside_of_a_project_nothing_of_a_project_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert set(findings()) == {"settings"}
