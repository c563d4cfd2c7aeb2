"""The code blocks of a page of the documentation: its files by title, joined in their order, and its commands."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

PAGES = Path(__file__).parents[1] / "docs"
FENCE = re.compile(r'^( *)```(\w*)(?: title="([^"]+)")?\n(.*?)^\1```$', re.MULTILINE | re.DOTALL)


def write_files(page: str, folder: Path) -> None:
    """Write each file of the page to the folder."""
    files: defaultdict[str, list[str]] = defaultdict(list)
    for _, title, block in _blocks(page):
        if title:
            files[title].append(block)
    assert files, f"{page} has no file"
    for title, blocks in files.items():
        (folder / title).write_text("\n\n".join(blocks))


def shell_blocks(page: str) -> Iterator[str]:
    """Yield the commands of the page, block by block, also those in a list."""
    yield from (block for language, _, block in _blocks(page) if language == "sh")


def languages(page: str) -> set[str]:
    """Return the language of every code block, ``""`` for a block without one or a block that is only indented."""
    text = (PAGES / page).read_text()
    indented = re.search(r"\n\n {4,}\S", FENCE.sub("", text))
    return {language for language, _, _ in _blocks(page)} | ({""} if indented else set())


def _blocks(page: str) -> Iterator[tuple[str, str, str]]:
    """Yield the language, the title and the text of each block."""
    for _, language, title, block in FENCE.findall((PAGES / page).read_text()):
        yield language, title, dedent(block)
