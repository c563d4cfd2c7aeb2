"""The pages on environments and on continuous integration show what a project does."""

import re
from pathlib import Path

from tailrace.project import load
from tailrace_cdk.project_environment import settings_of
from tests.page_files import shell_blocks, write_files
from tests.tailrace.packaging import shop

ENVIRONMENTS, CI = "how-to/several-environments.md", "how-to/ci.md"
TEMPLATE = Path(__file__).parents[2] / "tailrace" / "project" / "template"
WORKFLOW = TEMPLATE / "dot-github" / "workflows" / "tailrace.yml.tmpl"


def test_environments_of_the_page_differ_as_it_says(tmp_path: Path) -> None:
    """Tables are merged: production keeps the threshold of all environments beside its own address."""
    shop.write(tmp_path)
    write_files(ENVIRONMENTS, tmp_path)
    trial, production = (settings_of(load(tmp_path), name) for name in ("trial", "production"))
    assert trial.database
    assert production.database
    assert (trial.database.instances, production.database.instances) == (1, 2)
    assert [one.database.history_seconds for one in (trial, production) if one.database] == [86_400, 86_400]
    assert [one.alarms.lag_seconds for one in (trial, production)] == [60, 60]
    assert (trial.alarms.email, production.alarms.email) == ("", "oncall@example.com")
    assert (trial.removal, trial.customer_key, production.customer_key) == ("destroy", False, True)


def test_commands_of_continuous_integration_are_those_of_a_new_project() -> None:
    """tests/distribution/test_first_project.py runs each of them in a project that ``tailrace init`` wrote."""
    steps = re.findall(r"\brun: (.+)", WORKFLOW.read_text())
    ran = {command for step in steps for command in step.split(" && ")}
    [block] = shell_blocks(CI)
    assert {command for line in block.splitlines() for command in line.split(" && ")} <= ran
