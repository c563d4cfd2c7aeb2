"""Least privilege, of every policy in every kind of environment."""

from collections.abc import Callable

import pytest

from infra.statements import Statement, statements
from tailrace_cdk.synthesis.synthesis import Synthesised
from tests.tailrace_cdk.template import stack
from tests.tailrace_cdk.variants import VARIANTS

Made = Callable[[str], Synthesised]
THEIRS, OTHERS = "444455556666", "777788889999"  # accounts
UNDIVIDED = {  # actions that AWS grants for all resources or not at all
    "ecr:GetAuthorizationToken": "what it opens is named beside it",
    "lambda:ListEventSourceMappings": "tells names, and changes nothing",
    "dynamodb:ListStreams": "tells names, and changes nothing",
}
BELOW = {  # resources without a name yet, by type and prefix
    "State/Claims/": "objects of one bucket, below a prefix where it is known",
    "arn:aws:ecs:REGION:ACCOUNT:task/Service/Cluster/": "tasks of one cluster",
    "arn:aws:ecs:REGION:ACCOUNT:task-definition/tailrace-": "revisions of one task definition",
    "arn:aws:events:REGION:ACCOUNT:rule/tailrace-": "rules of one bus, each of the account that made it",
    "arn:aws:s3:::prod-REGION-starport-layer-bucket/": "layers of images: AWS's bucket, read by signed links",
}


@pytest.fixture(params=VARIANTS)
def granted(request: pytest.FixtureRequest, made: Made) -> list[Statement]:
    """Every statement that allows something."""
    return [one for one in statements(made(request.param).template) if one.allowed]


def everything(made: Made) -> list[Statement]:
    return [one for variant in VARIANTS for one in statements(made(variant).template) if one.allowed]


def test_every_action_is_named(granted: list[Statement]) -> None:
    """Without a pattern, in the policy of a role, a resource or a key."""
    assert [one for one in granted if any("*" in action for action in one.actions)] == []


def test_every_resource_is_named(granted: list[Statement]) -> None:
    """Except for actions that have none."""
    assert [one for one in granted if "*" in one.resources and not set(one.actions) <= UNDIVIDED.keys()] == []


def test_only_listed_resource_patterns_are_used(granted: list[Statement]) -> None:
    """Each for a reason."""
    patterns = {resource for one in granted for resource in one.resources if "*" in resource and resource != "*"}
    assert [pattern for pattern in patterns if not pattern.startswith(tuple(BELOW))] == []


def test_every_listed_exception_is_used(made: Made) -> None:
    all_of_them = everything(made)
    assert {action for one in all_of_them if "*" in one.resources for action in one.actions} == UNDIVIDED.keys()
    patterns = {resource for one in all_of_them for resource in one.resources if "*" in resource and resource != "*"}
    assert {prefix for prefix in BELOW if any(pattern.startswith(prefix) for pattern in patterns)} == BELOW.keys()


def test_every_statement_has_a_purpose_as_its_name(granted: list[Statement]) -> None:
    """An account's console shows it."""
    assert [one for one in granted if not one.why] == []


def test_statement_for_anybody_is_limited_to_the_account(granted: list[Statement]) -> None:
    """Except for image layers, which are read by signed links."""
    anybody = [one for one in granted if "anybody" in one.who]
    open_to_all = [one for one in anybody if "aws:PrincipalAccount is ACCOUNT" not in one.conditions]
    assert {(one.actions, one.why) for one in open_to_all} <= {
        (("s3:GetObject",), "fetch layers by links that the registry signed")
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_role_has_managed_or_inline_policies(made: Made, variant: str) -> None:
    """Every right is in the table."""
    roles = [one for one in made(variant).template["Resources"].values() if one["Type"] == "AWS::IAM::Role"]
    assert roles
    assert [role for role in roles if {"ManagedPolicyArns", "Policies"} & role["Properties"].keys()] == []


def test_every_role_with_data_may_use_the_customer_key(made: Made) -> None:
    """Every function and the tailer. A stack without a key grants no such right."""
    with_key = {one.who for one in statements(made("everything").template) if "kms:Decrypt" in one.actions}
    functions = {"Functions/ForwarderRole", "Functions/RedriveRole", "Functions/Stream-TABLERole"}
    assert functions | {"Service/Task/Role", "Enabling/Task/ExecutionRole"} <= with_key
    writing = {one.who for one in statements(made("everything").template) if "kms:GenerateDataKey" in one.actions}
    assert "Enabling/Task/ExecutionRole" not in writing  # It only reads the password.
    assert not [one for one in statements(made("trial").template) if "kms:Decrypt" in one.actions]


def test_claims_of_a_stream_are_limited_to_its_prefix(made: Made) -> None:
    """What the tailer may write the forwarder may read, and nothing else. A reader of events reads no claim."""
    found = {(one.who, action): one.resources for one in everything(made) for action in one.actions}
    assert found["Service/Task/Role", "s3:PutObject"] == ("State/Claims/payments/*",)
    of_production = {
        (one.who, one.actions): set(one.resources) for one in statements(made("production").template) if one.allowed
    }
    prefixes = {"State/Claims/payments/*", "State/Claims/subscriptions/*"}
    assert of_production["Service/Task/Role", ("s3:PutObject",)] == prefixes
    assert of_production["Functions/ForwarderRole", ("s3:GetObject",)] == prefixes
    assert of_production["Functions/ForwarderRole", ("s3:PutObject",)] == {"State/Claims/events/*", "State/Claims/parked/*"}


def test_consumer_may_fetch_only_the_events_that_it_gets() -> None:
    """By the bucket's policy, for its account. An account with its own rules may fetch all events, but never a change."""
    bus = f"arn:aws:events:eu-west-1:{THEIRS}:event-bus/a"
    consumer = {"name": "a", "bus_arn": bus, "events": ["PaymentCancelled"]}
    whole = stack(
        database=None,
        streams=[],
        customer_key=True,
        bus={"consumers": [consumer], "allowed_accounts": [OTHERS]},
    )
    found = {one.who: one for one in statements(whole.to_json()) if one.actions == ("s3:GetObject",) and one.own}
    assert found[f"arn:aws:iam::{THEIRS}:root"].resources == ("StateClaimsB4766BEB/events/PaymentCancelled/*",)
    assert found[f"arn:aws:iam::{OTHERS}:root"].resources == ("StateClaimsB4766BEB/events/*",)
    keys = [one for one in statements(whole.to_json()) if one.actions == ("kms:Decrypt",)]
    fetching = [one for one in keys if "kms:ViaService is s3.REGION.amazonaws.com" in one.conditions]
    assert {one.who for one in fetching} == found.keys()
    [attaching] = [one for one in keys if one not in fetching]
    assert attaching.who == f"arn:aws:iam::{OTHERS}:root"


def test_table_with_a_customer_key_is_read_with_that_key() -> None:
    """By the one function of its stream."""
    key = "arn:aws:kms:eu-west-1:000000000000:key/1234abcd"
    tables = [
        {"stream_arn": f"arn:aws:dynamodb:eu-west-1:000000000000:table/{name}/stream/2026-11-22T07:00:00.000", **more}
        for name, more in (("carts", {"key_arn": key}), ("orders", {}))
    ]
    whole = stack(database=None, streams=[], forwarder={"dynamodb_streams": tables})
    found = [one for one in statements(whole.to_json()) if "kms:Decrypt" in one.actions]
    reading = [one for one in statements(whole.to_json()) if "dynamodb:GetRecords" in one.actions]
    [carts] = [one.who for one in reading if "/carts/" in one.resources[0]]
    assert [(one.who, one.actions, one.resources) for one in found] == [(carts, ("kms:Decrypt", "kms:DescribeKey"), (key,))]
