"""A table takes its place on a page and nothing else."""

import pytest

from infra.pages.tables import replaced, table

BEGIN, END = "<!-- month: written by make docs -->", "<!-- end of month -->"


def test_a_page_keeps_what_is_around_the_table() -> None:
    """Text before and after the marks stays, and so do backslashes in a cell."""
    made = table(["a"], [["1\\|2"]])
    assert replaced(f"above\n{BEGIN}old{END}\nbelow", "month", made) == f"above\n{BEGIN}\n\n{made}\n\n{END}\nbelow"


@pytest.mark.parametrize("page", ["no marks", f"{BEGIN} no end", f"{END} {BEGIN}"])
def test_a_page_without_the_marks_is_not_written_over(page: str) -> None:
    """The error names the marks."""
    with pytest.raises(ValueError, match="end of month"):
        replaced(page, "month", "table")
