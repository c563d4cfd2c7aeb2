"""The deploy guides' files, policies and names are those of the code."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from infra.package import REPOSITORY
from tailrace_cdk.config import Environment, load
from tailrace_cdk.synthesis.synthesis import template
from tests.tailrace_cdk.rights import listed

DOCS = REPOSITORY / "docs"
PAGES = [
    "deploy", "existing-vpc", "atlas", "tailer-elsewhere", "first-event", "several-accounts",
    "dynamodb-table", "remove-a-deployment",
]  # fmt: skip
GUIDE = "\n".join((DOCS / "how-to" / f"{page}.md").read_text() for page in PAGES)
SHAPES = 4  # The first ones are whole environments.
TAILING = {"SendChanges", "KeepLeasesAndCheckpoints", "SeeWhatNoMapperReads", "StoreChangesTooLargeForAMessage"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^ *```{language}(?: title=\S+)?\n(.*?)^ *```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def environments(tmp_path: Any) -> list[Environment]:
    """Every environment file of the guide, loaded."""
    found = []
    for number, text in enumerate(blocks("toml")):
        file = tmp_path / f"mine-{number}.toml"
        file.write_text(text)
        found.append(load(file))
    return found


@cache
def synthesised(environment: Environment) -> dict[str, Any]:
    return dict(template(environment))


def test_every_environment_of_the_guide_is_valid(environments: list[Environment]) -> None:
    """It can be copied unchanged."""
    assert len(environments) > SHAPES
    assert [environment.watches for environment in environments[:SHAPES]] == [True, True, True, False]


@pytest.mark.parametrize("shape", range(SHAPES))
def test_every_shape_of_the_guide_synthesises(environments: list[Environment], shape: int) -> None:
    """Without findings of cdk-nag, and with every output that the guide names."""
    environment = environments[shape]
    outputs = synthesised(environment)["Outputs"]
    assert {"QueueUrl", "StateTable", "ClaimBucket"} <= outputs.keys()
    assert environment.watches == ({"Doctor", "LogGroupName", "ClusterName", "ServiceName"} <= outputs.keys())


@pytest.mark.parametrize("shape", range(SHAPES))
def test_removal_can_change_from_destroy_to_retain(environments: list[Environment], shape: int) -> None:
    """
    Only deletion settings change, so no resource is replaced; and at least one changes, so CloudFormation updates the stack.
    """
    destroyed, kept = (
        dict(values(synthesised(environments[shape].model_copy(update={"removal": removal}))["Resources"]))
        for removal in ("destroy", "retain")
    )
    changed = {path for path in destroyed.keys() | kept.keys() if destroyed.get(path) != kept.get(path)}
    policies = {path for path in changed if path[-1] in {"DeletionPolicy", "UpdateReplacePolicy"}}
    assert policies
    properties = {path[1:] for path in changed - policies}
    assert (
        "Properties",
        "DeletionProtectionEnabled",
    ) in properties  # of the table: CloudFormation does not update a policy alone
    assert properties <= {("Properties", "DeletionProtectionEnabled"), ("Properties", "DeletionProtection")}


def test_guide_lists_every_name_that_stays_taken(environments: list[Environment]) -> None:
    """A resource that outlives a stack under a fixed name blocks the next stack of that name."""
    environment = environments[0].model_copy(update={"removal": "retain"})
    stack = f"tailrace-{environment.name}"
    kept = [one for one in synthesised(environment)["Resources"].values() if one.get("DeletionPolicy") == "Retain"]
    names = [
        (one["Type"], value)
        for one in kept
        for (*_, key), value in values(one.get("Properties", {}), "Properties")
        if key.endswith(("Name", "Identifier")) and stack in str(value)
    ]
    assert {kind for kind, _ in names} == {"AWS::Events::EventBus", "AWS::DocDB::DBCluster", "AWS::Logs::LogGroup"}
    removing = (DOCS / "how-to/remove-a-deployment.md").read_text()
    assert len(names) == 3
    assert [name for _, name in names if f"`{name.replace(environment.name, 'NAME')}`" not in removing] == []


def test_every_program_of_the_guide_is_valid_python() -> None:
    programs = re.findall(r"<<'PYTHON'\n(.*?)^PYTHON$", GUIDE, re.MULTILINE | re.DOTALL)
    assert len(programs) > 1
    for program in programs:
        compile(program, "first-event.md", "exec")


def test_policy_for_a_tailer_elsewhere_has_the_rights_of_ours(environments: list[Environment]) -> None:
    """Action by action."""
    [policy] = [found for text in blocks("json") if "SendChanges" in (found := json.loads(text)).__str__()]
    told = {one["Sid"]: one for one in policy["Statement"]}
    ours = {one["Sid"]: one for one in granted(synthesised(environments[0])) if one["Sid"] in TAILING}
    assert told.keys() == ours.keys() == TAILING
    for sid, one in told.items():
        assert set(one["Action"]) == set(listed(ours[sid]["Action"])), sid
        assert one.get("Condition") == ours[sid].get("Condition"), sid


def test_bus_policy_of_a_consumer_allows_what_is_sent(environments: list[Environment]) -> None:
    """It names the bus and the events of the consumer in the guide."""
    [consumer] = [consumer for environment in environments for consumer in environment.bus.consumers]
    [policy] = [found for text in blocks("json") if "LetTailraceSendEvents" in (found := json.loads(text)).__str__()]
    [statement] = policy["Statement"]
    assert statement["Resource"] == consumer.bus_arn
    assert statement["Condition"]["StringEquals"]["events:detail-type"] == list(consumer.events)


def test_every_deploy_command_names_an_environment() -> None:
    """``make deploy`` and ``make diff`` refuse without one."""
    pages = [REPOSITORY / "README.md", *DOCS.rglob("*.md")]
    told = [found for page in pages for found in re.findall(r"(?<!deployment by `)make (?:deploy|diff)\b.*", page.read_text())]
    assert told
    assert [line for line in told if not re.match(r"make \w+ ENVIRONMENT=[\w$]", line)] == []


def granted(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in made["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy":
            yield from resource["Properties"]["PolicyDocument"]["Statement"]


def values(found: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every value of a template with its path; lists are one value."""
    if isinstance(found, dict):
        for name, one in found.items():
            yield from values(one, *path, name)
    else:
        yield path, found
