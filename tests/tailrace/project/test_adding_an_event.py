"""The page on adding an event is a project whose commands run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.page_files import shell_blocks, write_files

PAGE = "how-to/adding-an-event.md"


@pytest.fixture
def shell() -> dict[str, str]:
    """The variables of a shell that finds ``tailrace`` and ``pytest``."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def test_commands_of_the_page_run_in_a_new_project(tmp_path: Path, shell: dict[str, str]) -> None:
    """From the first try to the written contract."""
    init = ["tailrace", "init", "payments", "--collection", "payments"]
    subprocess.run(init, cwd=tmp_path, env=shell, check=True, capture_output=True)
    project = tmp_path / "payments"
    write_files(PAGE, project)
    for block in shell_blocks(PAGE):
        done = subprocess.run(["bash", "-ec", block], cwd=project, env=shell, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (block, done.stdout, done.stderr)
    assert "PaymentRefunded" in (project / "events.md").read_text()
    assert "PaymentCreated" not in (project / "events.md").read_text()
    assert [file.name for file in (project / "schemas").glob("*PaymentRefunded-v1.json")] == [
        "app.payments@PaymentRefunded-v1.json"
    ]
