"""The commands of the page on continuous integration, in a project that ``tailrace init`` wrote."""

import re

from tests.distribution.installation import InstalledWheel, uv
from tests.howto.page import Page
from tests.page_files import shell_blocks


def test_every_command_passes_in_a_new_project(page: Page, installed_wheel: InstalledWheel) -> None:
    """With tools of the user's own. The workflow of the project has the same commands."""
    installed = installed_wheel("dev,cdk")
    uv("pip", "install", "--python", str(installed.python), "--constraints", "requirements/dev.txt", "pytest", "mypy", "ruff")
    installed.run("tailrace", "init", "shop", "--collection", "orders", folder=page.folder)
    page.folder /= "shop"
    page.use(installed.environment())
    workflow = (page.folder / ".github" / "workflows" / "tailrace.yml").read_text()
    ran = {command for step in re.findall(r"\brun: (.+)", workflow) for command in step.split(" && ")}
    commands = {line for block in shell_blocks(page.name) for line in block.splitlines()}
    assert {command for command in ran if not command.startswith(("pip ", "npx "))} == commands
    page.run_all()
    assert (page.folder / "cdk.out" / "trial" / "tailrace-shop-trial.template.json").is_file()
