"""The commands of the page about packaging run, and the errors that it quotes are those of the command."""

from tests.howto.page import Page
from tests.page_files import PAGES
from tests.tailrace.packaging import shop
from tests.tailrace.packaging.test_refusals import MAPPERS


def test_commands_of_the_page_run(page: Page) -> None:
    """In a new project, with the dependencies of an earlier build."""
    shop.write_with_cache(page.folder)
    assert "events: StreamGapDetected, OrderPlaced" in page.run_all()
    assert (page.folder / "dist" / f"{page.folder.name}.zip").is_file()


def test_errors_on_the_page_are_those_of_the_command() -> None:
    text = (PAGES / "how-to" / "packaging.md").read_text()
    for case in ("name missing", "error at the import", "collection that no stream watches"):
        assert MAPPERS[case][1] in text, case
