"""The deploy guide's files, policies and names are those of the code."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from infra.package import REPOSITORY
from infra.synthesis import template
from tailrace_cdk.config import Environment, load

DOCS = REPOSITORY / "docs"
GUIDE = (DOCS / "deploy.md").read_text()
SHAPES = 4  # of the first, each is a whole environment
TAILING = {"SendChanges", "KeepLeasesAndCheckpoints", "SeeWhatNoMapperReads", "StoreChangesTooLargeForAMessage"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def environments(tmp_path: Any) -> list[Environment]:
    """Every environment file of the guide, as it would be read."""
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
    """To be copied as it stands."""
    assert len(environments) > SHAPES
    assert [environment.watches for environment in environments[:SHAPES]] == [True, True, True, False]


@pytest.mark.parametrize("shape", range(SHAPES))
def test_every_shape_of_the_guide_synthesises(environments: list[Environment], shape: int) -> None:
    """With nothing for cdk-nag to find, and every output that the guide names."""
    environment = environments[shape]
    outputs = synthesised(environment)["Outputs"]
    assert {"QueueUrl", "StateTable", "ClaimBucket"} <= outputs.keys()
    assert environment.watches == ({"Doctor", "LogGroupName", "ClusterName", "ServiceName"} <= outputs.keys())


@pytest.mark.parametrize("shape", range(SHAPES))
def test_what_was_made_to_be_destroyed_is_kept_from_then_on(environments: list[Environment], shape: int) -> None:
    """Only what its deletion takes is changed of a resource, so none is replaced; and something is, or nothing would be."""
    destroyed, kept = (
        dict(values(synthesised(environments[shape].model_copy(update={"removal": removal}))["Resources"]))
        for removal in ("destroy", "retain")
    )
    changed = {path for path in destroyed.keys() | kept.keys() if destroyed.get(path) != kept.get(path)}
    policies = {path for path in changed if path[-1] in {"DeletionPolicy", "UpdateReplacePolicy"}}
    assert policies
    properties = {path[1:] for path in changed - policies}
    assert ("Properties", "DeletionProtectionEnabled") in properties  # of the table: CloudFormation updates no policy alone
    assert properties <= {("Properties", "DeletionProtectionEnabled"), ("Properties", "DeletionProtection")}


def test_the_guide_tells_every_name_that_stays_taken(environments: list[Environment]) -> None:
    """What outlives a stack under a fixed name is in the way of the next of that name. The others get names of AWS's."""
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
    removing = GUIDE.partition("## Removing it")[2]
    assert len(names) == 3
    assert [name for _, name in names if f"`{name.replace(environment.name, 'NAME')}`" not in removing] == []


def test_every_program_of_the_guide_can_be_pasted() -> None:
    """What a shell hands to Python is Python."""
    programs = re.findall(r"<<'PYTHON'\n(.*?)^PYTHON$", GUIDE, re.MULTILINE | re.DOTALL)
    assert len(programs) > 1
    for program in programs:
        compile(program, "deploy.md", "exec")


def test_a_tailer_elsewhere_gets_the_rights_of_ours(environments: list[Environment]) -> None:
    """The policy in the guide allows what the task's role is allowed, action by action."""
    [policy] = [found for text in blocks("json") if "SendChanges" in (found := json.loads(text)).__str__()]
    told = {one["Sid"]: one for one in policy["Statement"]}
    ours = {one["Sid"]: one for one in granted(synthesised(environments[0])) if one["Sid"] in TAILING}
    assert told.keys() == ours.keys() == TAILING
    for sid, one in told.items():
        assert set(one["Action"]) == set(listed(ours[sid]["Action"])), sid
        assert one.get("Condition") == ours[sid].get("Condition"), sid


def test_a_consumer_lets_in_what_is_sent(environments: list[Environment]) -> None:
    """The bus policy names the bus and the events of the consumer in the guide."""
    [consumer] = [consumer for environment in environments for consumer in environment.bus.consumers]
    [policy] = [found for text in blocks("json") if "LetTailraceSendEvents" in (found := json.loads(text)).__str__()]
    [statement] = policy["Statement"]
    assert statement["Resource"] == consumer.bus_arn
    assert statement["Condition"]["StringEquals"]["events:detail-type"] == list(consumer.events)


def test_a_deployment_says_of_what() -> None:
    """``make deploy`` and ``make diff`` refuse without an environment. "A deployment by" is no command."""
    pages = [REPOSITORY / "README.md", *DOCS.glob("*.md")]
    told = [found for page in pages for found in re.findall(r"(?<!deployment by `)make (?:deploy|diff)\b.*", page.read_text())]
    assert told
    assert [line for line in told if not re.match(r"make \w+ ENVIRONMENT=[\w$]", line)] == []


def granted(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in made["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy":
            yield from resource["Properties"]["PolicyDocument"]["Statement"]


def values(found: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value of a template by its path, lists whole."""
    if isinstance(found, dict):
        for name, one in found.items():
            yield from values(one, *path, name)
    else:
        yield path, found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
