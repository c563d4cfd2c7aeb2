"""The commands of the page about packaging run, and the errors that it quotes are those of the command."""

import re

from tests.howto.page import Page
from tests.page_files import PAGES
from tests.tailrace.packaging import shop
from tests.tailrace.packaging.test_refusals import MAPPERS

PAGE = (PAGES / "how-to" / "packaging.md").read_text()


def test_commands_of_the_page_run(page: Page) -> None:
    """In a new project, with the dependencies of an earlier build."""
    shop.write_with_cache(page.folder)
    page.program("docker", f'#!/bin/sh\n[ "$2" = build ] && exec test -f "$9/Dockerfile"\necho sha256:{"0" * 64}')
    page.variables |= {"REPOSITORY": "repository", "PROJECT": page.folder.name}
    assert "events: StreamGapDetected, OrderPlaced" in page.run()
    assert (page.folder / "dist" / f"{page.folder.name}.zip").is_file()
    [setting] = [one for one in re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if "base_image" in one]
    (page.folder / "tailrace.toml").write_text(setting.replace("sha256:DIGEST", page.run().strip()) + shop.PROJECT)
    assert "-image  " in page.run()
    page.run()


def test_errors_on_the_page_are_those_of_the_command() -> None:
    for case in ("name missing", "error at the import", "collection that no stream watches"):
        assert MAPPERS[case][1] in PAGE, case
