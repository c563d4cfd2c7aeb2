"""Every link and every path in backticks on a page leads to an existing file and heading."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
BUILT = {"cdk.out", "dist"}  # by make synth and make package: what is in them comes and goes
FOLDERS = [folder.name for folder in ROOT.iterdir() if folder.is_dir() and folder.name[0] != "." and folder.name not in BUILT]
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(rf"`((?:{'|'.join(map(re.escape, FOLDERS))})/[^`*…\s]*)`")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def prose(document: Path) -> str:
    """Return a document without its blocks of code, where brackets mean something else."""
    return _FENCED.sub("", document.read_text())


def anchors(document: Path) -> Iterator[str]:
    """Return the anchors that GitHub makes of headings: lower case, no punctuation, ``-`` for a space."""
    seen: Counter[str] = Counter()
    for heading in _HEADING.findall(prose(document)):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        yield f"{slug}-{seen[slug]}" if seen[slug] else slug
        seen[slug] += 1


def dead_links(document: Path) -> Iterator[str]:
    """Yield the links of a document that lead nowhere, and the paths in its text that do not exist."""
    for link in _LINK.findall(prose(document)):
        path, _, anchor = link.partition("#")
        if "://" in link or path.startswith("mailto:"):
            continue
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link
    yield from (path for path in _PATH.findall(prose(document)) if not (ROOT / path).exists())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_every_link_and_path_exists(document: Path) -> None:
    assert list(dead_links(document)) == []


def test_every_document_is_linked_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop().resolve()
        if document not in reached and document.suffix == ".md":
            reached.add(document)
            targets = [document.parent / link.partition("#")[0] for link in _LINK.findall(prose(document))]
            waiting += [target for target in targets if target.is_file()]
    pages = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if page.resolve() not in reached] == []


def test_dead_link_is_found(tmp_path: Path) -> None:
    """A missing file, heading or path, and a second heading with the same name. Code and other sites are ignored."""
    (tmp_path / "there.md").write_text("# The *One*, and `Two`!\n## Again\n## Again\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](there.md) [b](gone.md) [c](there.md#the-one-and-two) [d](there.md#again-1) [e](there.md#three)\n"
        "[f](#here) [g](#nowhere) [h](https://example.org/#x) `tests/test_links.py` `tests/gone.py` `x/gone.py`\n"
        "```\n[i](code.md) `tests/gone.py`\n```\n"
    )
    assert list(dead_links(page)) == ["gone.md", "there.md#three", "#nowhere", "tests/gone.py"]
