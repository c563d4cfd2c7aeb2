"""The page on testing mappers is a project whose tests pass, with the commands that it shows."""

import pytest

from tests.howto.page import Page


@pytest.fixture
def project(page: Page) -> Page:
    """With the plugin in the configuration, because this environment may be older than the entry point."""
    page.write_files()
    (page.folder / "pytest.ini").write_text(
        "[pytest]\naddopts = -q -p tailrace.pytest_plugin -p no:cacheprovider\npythonpath = .\n"
    )
    page.variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return page


@pytest.mark.usefixtures("services")
def test_project_of_the_page_passes(page: Page, project: Page) -> None:
    """
    Only the snapshot is missing at first, and the command of the page creates it. The last run is the only one that starts the
    whole system.
    """
    project.variables["PYTEST_ADDOPTS"] = "--ignore=test_end_to_end.py"
    first = page.bash("pytest", code=1)
    assert "1 failed, 8 passed" in first, first
    assert "9 passed" in page.run()
    project.variables["PYTEST_ADDOPTS"] = ""
    assert "10 passed" in page.bash("pytest")
    assert (page.folder / "snapshots" / "test_events" / "test_snapshot.json").exists()
