"""
The site of the documentation, built from ``docs/`` by Zensical and checked: ``python -P -m infra.pages.site``.

A warning of Zensical, a dead link, a page that is not in the navigation and a page without a summary are errors. Nothing is
fetched.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from infra.package import REPOSITORY

CONFIGURATION = "zensical.toml"
SUMMARY_LENGTH = 220  # characters of the sentence under a title
_SUMMARY = re.compile(r"\A# [^\n]+\n\n(?![|#>`\-\s])(.+?[.:])(?=\s|\Z)", re.DOTALL)


def build(folder: Path = REPOSITORY) -> Path:
    """Build the site of the repository in ``folder`` and return its folder; ``CalledProcessError`` on a warning of Zensical."""
    site = folder / str(_configuration(folder)["site_dir"])
    shutil.rmtree(site, ignore_errors=True)
    command = [sys.executable, "-P", "-m", "zensical", "build", "--strict", "--clean", "--config-file", CONFIGURATION]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return site


def problems(folder: Path, site: Path) -> list[str]:
    """Return a sentence for each page that a reader cannot find, and for each link that leads nowhere."""
    return [*_orphans(folder), *_without_summary(folder), *_dead_links(site)]


def _configuration(folder: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((folder / CONFIGURATION).read_text())["project"]
    return project


def _pages(folder: Path) -> Iterator[Path]:
    return (path for path in sorted((folder / "docs").rglob("*.md")))


def _orphans(folder: Path) -> Iterator[str]:
    listed = {folder / "docs" / name for name in _names(_configuration(folder)["nav"])}
    for page in _pages(folder):
        if page not in listed:
            yield f"{page.relative_to(folder)} is not in the navigation: add it to nav in {CONFIGURATION}"


def _names(nav: Any) -> Iterator[str]:
    """Yield the pages of a navigation, which is a list of names, of titles with a name, and of titles with such a list."""
    if isinstance(nav, str):
        yield nav
    else:
        for inner in nav.values() if isinstance(nav, dict) else nav:
            yield from _names(inner)


def _without_summary(folder: Path) -> Iterator[str]:
    for page in _pages(folder):
        found = _SUMMARY.match(page.read_text())
        is_decision = re.match(r"\d{4}-", page.name)  # its title is the summary
        if not is_decision and (not found or len(found[1]) > SUMMARY_LENGTH):
            name = page.relative_to(folder)
            yield f"{name} has no summary: write a sentence of {SUMMARY_LENGTH} characters at most under its title"


class _Page(HTMLParser):
    """The ids and the links of a built page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(file.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids.update(value for value in (values.get("id"), values.get("name") if tag == "a" else None) if value)
        if tag == "a" and (link := values.get("href")):
            self.links.add(link)


def _dead_links(site: Path) -> Iterator[str]:
    pages = {file: _Page(file) for file in sorted(site.rglob("*.html")) if file.name != "404.html"}
    for file, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].ids):
                yield f"{file.relative_to(site)} has a dead link: {link}"


def main() -> int:
    site = build()
    for problem in (found := problems(REPOSITORY, site)):
        print(problem, file=sys.stderr)  # noqa: T201
    print(f"{site / 'index.html'}  {sum(1 for _ in _pages(REPOSITORY))} pages, {len(found)} problems")  # noqa: T201
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
