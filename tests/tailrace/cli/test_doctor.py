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


def test_import_that_does_not_end_is_ended_and_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailrace.packaging.check.IMPORT_SECONDS", 1)
    (folder / "events.py").write_text("import time\n\ntime.sleep(3600)\n")
    found = findings()["package"]
    assert found["state"] == "FAIL"
    assert "mappers: events:MAPPERS: their import did not end within 1 s, and Lambda allows 10 s" in found["found"]


def test_missing_project_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what is checked without a project, and how to check a project too."""
    monkeypatch.chdir(tmp_path)
    found = findings()
    assert set(found) == {"settings", "project"}
    assert found["project"]["state"] == "warn"
    assert found["project"]["found"].endswith("or in a folder above: only what a tailer needs is checked")
    assert "run the command in the project's folder" in found["project"]["remedy"]


def test_project_that_cannot_be_used_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the other findings."""
    (tmp_path / "tailrace.toml").write_text("mappers = 1")
    monkeypatch.chdir(tmp_path)
    assert findings()["project"]["state"] == "FAIL"
