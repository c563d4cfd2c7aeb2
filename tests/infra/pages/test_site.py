"""The site of the documentation refuses what a reader could not find or follow."""

import subprocess
from pathlib import Path

import pytest

from infra.pages import site

FOLDERS = 'docs_dir = "docs"\nsite_dir = "site"\n'
NAV = f'[project]\nsite_name = "X"\n{FOLDERS}nav = [{{ "Home" = "index.md" }}, {{ "More" = ["a/b.md"] }}]\n'
HOME = "# Home\n\nWhere a reader begins.\n\n[b](a/b.md#second)\n"
PAGE = "# B\n\nA page below.\n\n## Second\n\n[home](../index.md)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small site without a problem."""
    (tmp_path / site.CONFIGURATION).write_text(NAV)
    (tmp_path / "docs" / "a").mkdir(parents=True)
    (tmp_path / "docs" / "index.md").write_text(HOME)
    (tmp_path / "docs" / "a" / "b.md").write_text(PAGE)
    return tmp_path


def test_site_without_a_problem(folder: Path) -> None:
    assert site.problems(folder, site.build(folder)) == []


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("c.md", "# C\n\nA page.\n", "docs/c.md is not in the navigation"),
        ("index.md", "# Home\n\n## First\n", "docs/index.md has no summary"),
        ("index.md", f"# Home\n\n{'A long sentence ' * 20}.\n", "docs/index.md has no summary"),
        ("index.md", "# Home\n\nA page.\n\n[c](c.txt)\n", "index.html has a dead link: c.txt"),
    ],
    ids=["orphan", "no summary", "long summary", "no such file"],
)
def test_problem_is_named(folder: Path, page: str, text: str, expected: str) -> None:
    (folder / "docs" / page).write_text(text)
    found = site.problems(folder, site.build(folder))
    assert [problem for problem in found if problem.startswith(expected)] == found != []


@pytest.mark.parametrize("link", ["c.md", "a/b.md#third"])
def test_link_to_a_missing_page_or_heading_ends_the_build(folder: Path, link: str) -> None:
    (folder / "docs" / "index.md").write_text(f"# Home\n\nA page.\n\n[c]({link})\n")
    with pytest.raises(subprocess.CalledProcessError):
        site.build(folder)
