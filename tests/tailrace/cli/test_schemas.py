"""``tailrace schemas`` in a project: what is committed is what the mappers produce, and nothing breaks consumers."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tailrace.cli import program
from tests.tailrace.packaging import shop


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose contract is written."""
    monkeypatch.chdir(shop.write(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a file that changes within a second may keep its size
    assert schemas("write").exit_code == 0
    return tmp_path


def schemas(command: str) -> Result:
    """Run the command as a new process would: with the module of the mappers as it is now."""
    sys.modules.pop("events", None)
    return CliRunner().invoke(program.tailrace, ["schemas", command])


def test_contract_is_in_the_projects_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From any folder below it too."""
    assert "OrderPlaced" in (folder / "events.md").read_text()
    assert (folder / "schemas" / "shop.orders@OrderPlaced-v1.json").is_file()
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert schemas("check").exit_code == 0


def test_breaking_change_is_refused(folder: Path) -> None:
    """By both commands, with the field and the remedy."""
    (folder / "events.py").write_text(shop.EVENTS.replace("order_id: str", "order_id: int"))
    for command in ("check", "write"):
        done = schemas(command)
        assert done.exit_code == 1
        assert "OrderPlaced version 1: the field detail.data.orderId may now be integer" in done.stderr
        assert 'give the class another version, version="…"' in done.stderr


def test_file_that_is_not_up_to_date_is_named(folder: Path) -> None:
    (folder / "events.py").write_text(shop.EVENTS.replace("order_id: str", "order_id: str\n    note: str | None = None"))
    stale = schemas("check")
    assert stale.exit_code == 1
    assert "OrderPlaced-v1.json is not what the mappers produce" in stale.stderr
    assert schemas("write").exit_code == 0
    assert schemas("check").exit_code == 0
