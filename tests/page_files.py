"""The files that a page of the documentation consists of: its code blocks by title, joined in their order."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PAGES = Path(__file__).parents[1] / "docs"


def write_files(page: str, folder: Path) -> None:
    """Write each file of the page to the folder."""
    files: defaultdict[str, list[str]] = defaultdict(list)
    for title, block in re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', (PAGES / page).read_text(), re.MULTILINE | re.DOTALL):
        files[title].append(block)
    assert files, f"{page} has no file"
    for title, blocks in files.items():
        (folder / title).write_text("\n\n".join(blocks))


def shell_blocks(page: str) -> Iterator[str]:
    """Yield the commands of the page, block by block."""
    yield from re.findall(r"^```sh\n(.*?)^```", (PAGES / page).read_text(), re.MULTILINE | re.DOTALL)
