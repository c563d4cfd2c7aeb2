"""The page on testing mappers is a project whose tests pass, with the commands that it shows."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.page_files import shell_blocks, write_files

PAGE = "how-to/testing-your-mappers.md"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """With the plugin in the configuration, because this environment may be older than the entry point."""
    write_files(PAGE, tmp_path)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = -q -p tailrace.pytest_plugin -p no:cacheprovider\npythonpath = .\n"
    )
    return tmp_path


def run(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    pytest_here = command.replace("pytest", f"PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {sys.executable} -P -m pytest")
    return subprocess.run(pytest_here, shell=True, cwd=folder, capture_output=True, text=True, check=False)


def test_project_of_the_page_passes(project: Path) -> None:
    """Only the snapshot is missing at first, and the command of the page creates it."""
    first = run("pytest", project)
    assert "1 failed, 8 passed" in first.stdout, first.stdout
    [command] = shell_blocks(PAGE)
    assert "9 passed" in run(command, project).stdout
    assert "9 passed" in run("pytest", project).stdout
    assert (project / "snapshots" / "test_events" / "test_snapshot.json").exists()
