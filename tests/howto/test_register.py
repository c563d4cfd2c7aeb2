"""Every command on a how-to page runs in a test: a new page or block fails here until a test runs it."""

import ast
from pathlib import Path

import pytest

from tests.page_files import PAGES, languages, shell_blocks

TESTS = Path(__file__).parents[1]
HOW_TOS = sorted((PAGES / "how-to").glob("*.md"))


def modules(page: str) -> list[Path]:
    """Return the test modules of a page."""
    return sorted(TESTS.glob(f"**/howto/test_{page.replace('-', '_')}.py"))


def uses_the_page(module: Path) -> bool:
    """Whether a test of the module has the fixture ``page``, which fails a test that leaves out a block."""
    functions = (node for node in ast.parse(module.read_text()).body if isinstance(node, ast.FunctionDef))
    return any(one.name.startswith("test_") and "page" in {argument.arg for argument in one.args.args} for one in functions)


@pytest.mark.parametrize("page", [path.stem for path in HOW_TOS])
def test_every_command_of_the_page_runs_in_a_test(page: str) -> None:
    """The page has commands, and one module whose test runs every block."""
    assert list(shell_blocks(f"how-to/{page}.md"))
    assert [uses_the_page(module) for module in modules(page)] == [True]


@pytest.mark.parametrize("page", [path.stem for path in HOW_TOS])
def test_every_block_of_the_page_names_its_language(page: str) -> None:
    """A block of commands is fenced, as ``sh``: no other block can hide a command."""
    assert languages(f"how-to/{page}.md").isdisjoint({"", "bash", "console", "shell", "shellsession", "zsh"})


@pytest.mark.parametrize("page", [path.stem for path in HOW_TOS])
def test_no_command_of_the_page_hides_a_failure(page: str) -> None:
    """``false && true`` does not end a block, not even with ``set -e``: each command has a line of its own."""
    assert [line for block in shell_blocks(f"how-to/{page}.md") for line in block.splitlines() if " && " in line] == []


def test_every_module_has_its_page() -> None:
    """A page that was renamed takes its tests along."""
    pages = {path.stem for path in HOW_TOS}
    found = {path.stem.removeprefix("test_").replace("_", "-") for path in TESTS.glob("**/howto/test_*.py")}
    assert found - pages == {"register"}
