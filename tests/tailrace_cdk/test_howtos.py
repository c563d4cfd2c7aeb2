"""The pages on environments and on continuous integration show what a project does."""

import os
import subprocess
import sys
from pathlib import Path

from tailrace.project import load
from tailrace_cdk.project_environment import settings_of
from tests.page_files import shell_blocks, write_files
from tests.tailrace.packaging import shop

ENVIRONMENTS, CI = "how-to/several-environments.md", "how-to/ci.md"
ELSEWHERE = {"mypy": "tests/distribution/test_project_tests.py"}  # it takes half a minute without a cache


def test_environments_of_the_page_differ_as_it_says(tmp_path: Path) -> None:
    """Tables are merged: production keeps the threshold of all environments beside its own address."""
    shop.write(tmp_path)
    write_files(ENVIRONMENTS, tmp_path)
    trial, production = (settings_of(load(tmp_path), name) for name in ("trial", "production"))
    assert trial.database
    assert production.database
    assert (trial.database.instances, production.database.instances) == (1, 2)
    assert [one.database.history_seconds for one in (trial, production) if one.database] == [86_400, 86_400]
    assert [one.alarms.lag_seconds for one in (trial, production)] == [60, 60]
    assert (trial.alarms.email, production.alarms.email) == ("", "oncall@example.com")
    assert (trial.removal, trial.customer_key, production.customer_key) == ("destroy", False, True)


def test_commands_of_continuous_integration_run_in_a_new_project(tmp_path: Path) -> None:
    """As ``tailrace init`` writes it, without an edit."""
    tools = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    init = ["tailrace", "init", "shop", "--collection", "orders"]
    subprocess.run(init, cwd=tmp_path, env=tools, check=True, capture_output=True)
    shop.CACHE.mkdir(parents=True, exist_ok=True)
    (tmp_path / "shop" / "dist").mkdir()
    (tmp_path / "shop" / "dist" / "cache").symlink_to(shop.CACHE)
    [block] = shell_blocks(CI)
    for command in block.splitlines():
        if command not in ELSEWHERE:
            run = ["bash", "-ec", command]
            done = subprocess.run(run, cwd=tmp_path / "shop", env=tools, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (command, done.stdout, done.stderr)
