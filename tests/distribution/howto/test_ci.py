"""The commands of the page on continuous integration, in a project that ``tailrace init`` wrote."""

import re

import pytest

from tests.distribution.installation import InstalledWheel, uv
from tests.distribution.new_project import Shop
from tests.howto.page import Page
from tests.page_files import shell_blocks


@pytest.mark.timeout(900)  # seconds: the stacks of two environments, on a machine that is busy with other things
def test_every_command_passes_in_a_new_project(page: Page, installed_wheel: InstalledWheel, shop: Shop) -> None:
    """With tools of the user's own. The workflow of the project has the same commands."""
    installed = installed_wheel("dev,cdk")
    uv("pip", "install", "--python", str(installed.python), "--constraints", "requirements/dev.txt", "pytest", "mypy", "ruff")
    page.folder = shop.folder
    page.use(installed.environment())
    workflow = (page.folder / ".github" / "workflows" / "tailrace.yml").read_text()
    ran = {command for step in re.findall(r"\brun: (.+)", workflow) for command in step.split(" && ")}
    commands = {line for block in shell_blocks(page.name) for line in block.splitlines()}
    assert {command for command in ran if not command.startswith(("pip ", "npx "))} == commands
    page.run_all()
    assert (page.folder / "cdk.out" / "trial" / "tailrace-shop-trial.template.json").is_file()
