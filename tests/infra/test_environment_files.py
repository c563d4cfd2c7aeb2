"""The environments of the repository."""

from pathlib import Path

import pytest

from infra.environment_files import ENVIRONMENTS, named, there
from tailrace_cdk.config import Misconfigured, load


def test_environment_is_found_by_name_or_path(tmp_path: Path) -> None:
    """With or without its suffix."""
    assert named("trial") == named("trial.toml") == ENVIRONMENTS / "trial.toml"
    assert "production, trial" in there()
    mine = tmp_path / "mine.toml"
    mine.write_text("")
    assert named(str(mine)) == mine
    for other in ("nowhere", str(tmp_path / "nowhere.toml"), str(tmp_path)):
        with pytest.raises(Misconfigured, match=r"There is no environment .*nowhere|There is no environment /"):
            named(other)


def test_environment_is_named_after_its_file() -> None:
    """Unless the file has another name."""
    assert load(ENVIRONMENTS / "trial.toml").name == "trial"


def test_shipped_environments_match_their_description() -> None:
    """A trial leaves nothing behind. Production has two of everything that can fail, and a key of its own."""
    trial, production = (load(ENVIRONMENTS / f"{name}.toml") for name in ("trial", "production"))
    assert trial.removal == "destroy"
    assert production.removal == "retain"
    assert production.customer_key
    assert production.database is not None
    assert production.database.instances >= 2
    assert production.network.zones >= 2
    assert production.tailer.standby_tasks >= 1
    assert production.tailer.architecture == "arm64"
