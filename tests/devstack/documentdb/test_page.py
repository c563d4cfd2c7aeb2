"""The page about DocumentDB has the tables that are made from the profiles."""

from pathlib import Path

from devstack.documentdb.__main__ import tables

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "documentdb.md"


def test_page_has_the_tables_of_the_profiles() -> None:
    """If not, run ``python -P -m devstack.documentdb`` and replace them."""
    played, not_played = tables().split("\n\n")
    page = PAGE.read_text(encoding="utf-8")
    assert played in page
    assert not_played in page
