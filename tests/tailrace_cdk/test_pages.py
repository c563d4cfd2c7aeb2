"""What the page on a CDK app of one's own shows is what the code does."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template
from click.testing import CliRunner

from tailrace.cli.program import tailrace
from tailrace_cdk import Tailrace
from tailrace_cdk.existing import Existing
from tailrace_cdk.parts import Parts
from tests.page_files import PAGES
from tests.tailrace.packaging import shop
from tests.tailrace_cdk.package import package
from tests.tailrace_cdk.template import only, unchecked

APP = "how-to/your-own-cdk-app.md"
PROJECT = """
name = "shop"
mappers = "events:MAPPERS"

[[streams]]
name = "orders"
database = "shop"
collections = ["orders"]

[environments.trial.tailer]
mongodb_uri = "mongodb://one.example/?replicaSet=rs0&tls=true"

[environments.trial.network]
egress = "nat"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a project, with the dependencies of packages that were built before."""
    shop.write_with_cache(tmp_path, tailrace_toml=PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def resources(file: Path) -> dict[str, str]:
    return {name: one["Type"] for name, one in json.loads(file.read_text())["Resources"].items()}


def test_page_lists_every_existing_part_and_property() -> None:
    text = (PAGES / APP).read_text()
    rows = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`[^|]+)\|", text, re.MULTILINE))))
    assert rows == {*Existing.__annotations__, "bus"}
    properties = {name for name, one in vars(Parts).items() if isinstance(one, property)}
    paragraph = text.partition("## What you get back")[2].partition("##")[0]
    assert properties <= set(re.findall(r"`(\w+)", paragraph))


def test_statements_for_an_imported_key_are_those_of_a_made_key(tmp_path: Path) -> None:
    """Without a schema of the account's own delegation, which every key has."""
    stack = Stack(unchecked(tmp_path / "cdk.out"), "stack")
    Tailrace(stack, "Shop", package=package(tmp_path), key=kms.Key(stack, "Key"))
    made = [one for one in only(Template.from_stack(stack), "AWS::KMS::Key")["KeyPolicy"]["Statement"] if "Sid" in one]
    [shown] = re.findall(r"^```json\n(.*?)^```", (PAGES / APP).read_text(), re.MULTILINE | re.DOTALL)
    assert [named(one) for one in made] == json.loads(shown)


def named(value: Any) -> Any:
    """Replace the expressions of a template by the words of the page."""
    match value:
        case {"Ref": name}:
            return {"AWS::Region": "REGION", "AWS::AccountId": "ACCOUNT", "AWS::Partition": "aws"}[name]
        case {"Fn::Join": [_, parts]}:
            return "".join(map(named, parts))
        case dict():
            return {key: named(one) for key, one in value.items()}
        case list():
            return [named(one) for one in value]
        case _:
            return value


def test_synth_reports_what_it_made_and_checked(folder: Path) -> None:
    """Resources, findings, and where the template is."""
    done = CliRunner().invoke(tailrace, ["synth", "trial"])
    assert done.exit_code == 0, done.output
    file = folder / "cdk.out" / "trial" / "tailrace-shop-trial.template.json"
    assert f"tailrace-shop-trial: {len(resources(file))} resources" in done.output
    assert "cdk-nag    0 findings" in done.output


@pytest.mark.parametrize("command", ["synth", "template"])
@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"events_py": shop.EVENTS.replace("MAPPERS:", "MAPPER:")}, "the module has no MAPPERS; did you mean MAPPER?"),
        (
            {"tailrace_toml": PROJECT.replace("trial.network]", "trial.networks]")},
            "did you mean network?",
        ),
    ],
    ids=["mappers", "setting"],
)
def test_project_that_would_not_start_is_refused(folder: Path, command: str, files: dict[str, str], problem: str) -> None:
    """With exit code 2, before anything is written."""
    shop.write(folder, **{"tailrace_toml": PROJECT, **files})
    done = CliRunner().invoke(tailrace, [command, "trial"])
    assert done.exit_code == 2
    assert problem in done.output
    assert not (folder / "cdk.out").exists()
    assert not list((folder / "dist").glob("*.json"))
