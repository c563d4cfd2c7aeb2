"""
The commands of a how-to page, run in its order as in one terminal.

The tests of ``docs/how-to/NAME.md`` are in ``NAME`` of a folder ``howto``, here or in a room whose fixtures they need:
``test_adding_an_event.py`` for ``adding-an-event.md``. The fixture ``page`` fails a test that leaves out a block.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.distribution.installation import OURS
from tests.page_files import shell_blocks, write_files

ON_PATH = Path(sys.executable).parent  # tailrace, tailer, pytest and the programs of the locked packages
KEEP = "import json, os, sys; json.dump([os.getcwd(), dict(os.environ)], sys.stdout)"


class Page:
    """A page and its terminal: the folder and the variables that each block leaves to the next."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder, self.work = name, folder / "terminal", folder
        self._bin = folder / "bin"
        for made in (self.folder, self._bin):
            made.mkdir()
        shell = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.use({**shell, "PATH": f"{ON_PATH}:{os.environ['PATH']}"})
        self.left = list(shell_blocks(name))

    def use(self, variables: Mapping[str, str]) -> None:
        """Begin anew with these variables, and with the programs of ``program`` first on PATH."""
        self.variables = {**variables, "PATH": f"{self._bin}:{variables['PATH']}"}

    def write_files(self) -> None:
        """Write the files of the page to the folder of the terminal."""
        write_files(self.name, self.folder)

    def program(self, name: str, text: str) -> None:
        """Put a program in front of all others of its name."""
        (self._bin / name).write_text(text)
        (self._bin / name).chmod(0o755)

    def run(self) -> str:
        """Run the next block of the page, and return its output."""
        return self.bash(self.left.pop(0))

    def bash(self, commands: str, *, code: int = 0) -> str:
        """Run commands and return their output. A command that fails ends them."""
        state = self.work / "state.json"
        script = f'trap \'"$0" -I -c "{KEEP}" > "{state}"\' EXIT\nset -ea -o pipefail\n{commands}'
        done = subprocess.run(
            ["bash", "-c", script, sys.executable],
            cwd=self.folder, env=self.variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"exit code {done.returncode} of\n{commands}\n{done.stdout}\n{done.stderr}"
        folder, self.variables = json.loads(state.read_text())
        self.folder = Path(folder)
        return done.stdout

    def run_all(self) -> str:
        """Run the blocks that are left, and return their output."""
        return "".join(self.run() for _ in range(len(self.left)))


@pytest.fixture
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """The page that the module is named after. Its test runs every block."""
    name = request.path.stem.removeprefix("test_").replace("_", "-")
    (tmp_path / "page").mkdir()
    page = Page(f"how-to/{name}.md", tmp_path / "page")
    yield page
    assert page.left == [], f"the test of docs/{page.name} leaves out these blocks"
