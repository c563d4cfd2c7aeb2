"""Tables of Markdown, and their places in a page."""

import re
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def replaced(page: str, name: str, text: str) -> str:
    """Return the page with the text between ``<!-- NAME: written by make docs -->`` and ``<!-- end of NAME -->``."""
    begin, end = f"<!-- {name}: written by make docs -->", f"<!-- end of {name} -->"
    marked = re.compile(f"{begin}.*?{end}", re.DOTALL)
    if not marked.search(page):
        raise ValueError(f"The page has no {begin} … {end}. Put these marks where the table belongs.")
    return marked.sub(lambda _: f"{begin}\n\n{text}\n\n{end}", page)
