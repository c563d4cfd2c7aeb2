"""The environments of the repository, by their names."""

from pathlib import Path

import pytest

from infra.environment_files import ENVIRONMENTS, named, there
from tailrace_cdk.config import Misconfigured, load


def test_an_environment_is_named_as_one_likes(tmp_path: Path) -> None:
    """With its ending and without, or by a path."""
    assert named("trial") == named("trial.toml") == ENVIRONMENTS / "trial.toml"
    assert "production, trial" in there()
    mine = tmp_path / "mine.toml"
    mine.write_text("")
    assert named(str(mine)) == mine
    for other in ("nowhere", str(tmp_path / "nowhere.toml"), str(tmp_path)):
        with pytest.raises(Misconfigured, match=r"There is no environment .*nowhere|There is no environment /"):
            named(other)


def test_an_environment_is_called_like_its_file() -> None:
    """Unless the file says another name."""
    assert load(ENVIRONMENTS / "trial.toml").name == "trial"


def test_the_shipped_environments_are_what_they_say() -> None:
    """A trial leaves nothing behind; production has two of everything that can fail, and a key of its own."""
    trial, production = (load(ENVIRONMENTS / f"{name}.toml") for name in ("trial", "production"))
    assert trial.removal == "destroy"
    assert production.removal == "retain"
    assert production.customer_key
    assert production.database is not None
    assert production.database.instances >= 2
    assert production.network.zones >= 2
    assert production.tailer.standby_tasks >= 1
    assert production.tailer.architecture == "arm64"
