"""A generated table replaces only its place on a page."""

import pytest

from infra.pages.tables import replaced, table

BEGIN, END = "<!-- month: written by make docs -->", "<!-- end of month -->"


def test_page_keeps_the_text_around_the_table() -> None:
    """And backslashes in a cell."""
    made = table(["a"], [["1\\|2"]])
    assert replaced(f"above\n{BEGIN}old{END}\nbelow", "month", made) == f"above\n{BEGIN}\n\n{made}\n\n{END}\nbelow"


@pytest.mark.parametrize("page", ["no marks", f"{BEGIN} no end", f"{END} {BEGIN}"])
def test_page_without_the_marks_is_not_overwritten(page: str) -> None:
    """The error names the marks."""
    with pytest.raises(ValueError, match="end of month"):
        replaced(page, "month", "table")
