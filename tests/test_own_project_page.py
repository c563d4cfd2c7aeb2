"""The page on a project of one's own: its commands run, and the names on it are those that the project has."""

import re
import subprocess
import sys
from pathlib import Path

from tests.tracked import REPOSITORY

PAGE = (REPOSITORY / "docs/how-to/your-own-project.md").read_text()


def test_shell_blocks_run_one_after_another(tmp_path: Path) -> None:
    """With the programs of this environment. ``tailrace dev`` itself has tests of its own."""
    script = "\n".join(["set -e", f'tailrace() {{ "{sys.executable}" -P -m tailrace.cli "$@"; }}', *blocks()])
    script = script.replace("\npytest\n", f'\n"{sys.executable}" -m pytest -q -p no:cacheprovider\n')
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    for file in re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE)[:7]:
        assert [name for name in re.findall("`(.+?)`", file) if not (tmp_path / "shop" / name).exists()] == []


def blocks() -> list[str]:
    return re.findall(r"```sh\n(.+?)```", PAGE, re.DOTALL)
