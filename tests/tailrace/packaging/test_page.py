"""The commands of the page about packaging run, and the errors that it quotes are those of the command."""

import os
import re
import subprocess
import sys
from pathlib import Path

from infra.package import REPOSITORY
from tests.tailrace.packaging import shop
from tests.tailrace.packaging.test_refusals import MAPPERS

PAGE = (REPOSITORY / "docs" / "how-to" / "packaging.md").read_text()


def test_commands_of_the_page_run(tmp_path: Path) -> None:
    """In a new project, with the dependencies of an earlier build."""
    folder = shop.write(tmp_path)
    (folder / "dist").mkdir()
    (folder / "dist" / "cache").symlink_to(shop.CACHE)
    program = tmp_path / "bin" / "tailrace"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m tailrace.cli "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        done = subprocess.run(["sh", "-ec", block], cwd=folder, env={"PATH": path}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "events: StreamGapDetected, OrderPlaced" in done.stdout
    assert (folder / "dist" / f"{folder.name}.zip").is_file()


def test_errors_on_the_page_are_those_of_the_command() -> None:
    for case in ("name missing", "error at the import", "collection that no stream watches"):
        assert MAPPERS[case][1] in PAGE, case
