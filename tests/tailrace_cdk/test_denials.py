"""
Who may access the data of the stack's resources: the resources themselves deny everybody who is not listed here. The emulator
enforces no resource policy, so these tests evaluate the template by AWS's rules as implemented below; that AWS evaluates them
so was not tried.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from fnmatch import fnmatchcase
from typing import Any

import pytest
from pydantic import ValidationError

from infra.statements import Statement, statements
from tailrace_cdk.config import Environment, People
from tailrace_cdk.synthesis.synthesis import Synthesised, of_environment
from tests.tailrace_cdk.package import package as package_of
from tests.tailrace_cdk.template import EXISTING_VPC, STREAMS, of_type, stack
from tests.tailrace_cdk.variants import VARIANTS

Made = Callable[[str], Synthesised]
ACCOUNT, THEIRS = "ACCOUNT", "111122223333"
ON_CALL, REPAIR, OUTSIDE = (f"arn:aws:iam::{THEIRS}:role/{name}" for name in ("on-call", "repair", "tailer"))
ADMINISTRATOR = "arn:aws:iam::ACCOUNT:role/Administrator"
FORWARDER, REDRIVE, STREAM = "Functions/ForwarderRole", "Functions/RedriveRole", "Functions/Stream-TABLERole"
TAILER = "Service/Task/Role"
PUBLISHING = {FORWARDER, REDRIVE, STREAM}
OTHERS = {  # roles of the stack without access to its data, and one with every right that an account can give
    "Enabling/Role", "Enabling/Task/Role", "Enabling/Task/ExecutionRole", "Service/Task/ExecutionRole",
    "Functions/ScheduleRole", "Events/consumerRole", "Network/FlowLogRole", ADMINISTRATOR,
}  # fmt: skip
PRINCIPALS = {*PUBLISHING, TAILER, ON_CALL, OUTSIDE, *OTHERS}

SEND, RECEIVE, DELETE, HIDE, PURGE = (
    f"sqs:{name}" for name in ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "PurgeQueue")
)
READ, WRITE = ("s3:GetObject", "s3:GetObjectVersion"), ("s3:PutObject",)
CLAIMS, LARGE, PARKED, FAILED = (f"State/Claims/{prefix}/1" for prefix in ("payments", "events", "parked", "aws/lambda"))
ELSEWHERE = "State/Claims/anything"
QUEUES = ("Queues/Changes", "Queues/Parking", "Queues/DeadLetters", "Events/consumerUndelivered", "Events/Bus/Unreadable")
DATA: Mapping[str, tuple[str, ...]] = {  # every action that reads or changes data, by resource
    **dict.fromkeys(QUEUES, (SEND, RECEIVE, DELETE, HIDE, PURGE)),
    "State/Table": tuple(
        f"dynamodb:{name}"
        for name in (
            "GetItem", "PutItem", "BatchGetItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "ConditionCheckItem",
            "Query", "Scan", "PartiQLSelect", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete",
        )
    ),
    **dict.fromkeys((CLAIMS, LARGE, PARKED, FAILED), (*READ, *WRITE, "s3:DeleteObject", "s3:DeleteObjectVersion")),
    ELSEWHERE: (*WRITE, "s3:DeleteObject", "s3:DeleteObjectVersion"),
    "Events/Bus/Bus": ("events:PutEvents",),
}  # fmt: skip
LISTED: Mapping[tuple[str, str], set[str]] = {  # Nothing else is allowed, except that the repair role may do everything.
    ("Queues/Changes", SEND): {TAILER, OUTSIDE},
    **{("Queues/Changes", action): {FORWARDER} for action in (RECEIVE, DELETE, HIDE)},
    ("Queues/Parking", SEND): PUBLISHING,
    **{(queue, action): {REDRIVE, ON_CALL} for queue in ("Queues/Parking", "Queues/DeadLetters") for action in (RECEIVE, HIDE)},
    **{(queue, DELETE): {REDRIVE} for queue in ("Queues/Parking", "Queues/DeadLetters")},
    **{(queue, action): {ON_CALL} for queue in QUEUES[3:] for action in (RECEIVE, HIDE)},
    **{("State/Table", f"dynamodb:{name}"): {TAILER, OUTSIDE} for name in ("GetItem", "PutItem")},
    **{("State/Table", f"dynamodb:{name}"): {*PUBLISHING, ON_CALL} for name in ("BatchGetItem", "UpdateItem")},
    **{(CLAIMS, action): {*PUBLISHING, ON_CALL} for action in READ},
    **{(LARGE, action): {ON_CALL} for action in READ},
    **{(PARKED, action): {REDRIVE, ON_CALL} for action in READ},
    **{(FAILED, action): {ON_CALL} for action in READ},
    (CLAIMS, "s3:PutObject"): {TAILER, OUTSIDE},
    **{(below, "s3:PutObject"): PUBLISHING for below in (LARGE, PARKED)},
    (FAILED, "s3:PutObject"): {STREAM},
    (ELSEWHERE, "s3:PutObject"): {*PUBLISHING, TAILER, OUTSIDE},  # Their own rights do not apply there.
    ("Events/Bus/Bus", "events:PutEvents"): PUBLISHING,
}


def holds(condition: str, context: Mapping[str, str]) -> bool:
    """Evaluate one condition in the words of ``infra.statements``; without its key in the call only a negated one holds."""
    key, _, rest = condition.partition(" ")
    if (value := context.get(key)) is None:
        return rest.startswith("is not")
    if rest.startswith("is not like "):
        return not any(fnmatchcase(value, pattern) for pattern in rest.removeprefix("is not like ").split(" or "))
    if rest.startswith("is not "):
        return value not in rest.removeprefix("is not ").split(" or ")
    if rest.startswith("is below "):
        return float(value) < float(rest.removeprefix("is below "))
    return value == rest.removeprefix("is ")


def denied(found: list[Statement], action: str, resource: str, **context: str) -> bool:
    """Whether a resource's own policy denies the call, whatever else allows it."""
    called = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", "aws:PrincipalIsAWSService": "false"} | {
        f"aws:{name}": value for name, value in context.items()
    }
    return any(
        any(fnmatchcase(action, pattern) for pattern in one.actions)
        and any(fnmatchcase(resource, pattern) for pattern in one.resources)
        and all(holds(condition, called) for condition in one.conditions)
        for one in found
        if not one.allowed and one.own
    )


def calls() -> Iterator[tuple[str, str]]:
    yield from ((resource, action) for resource, actions in DATA.items() for action in actions)


@pytest.fixture(scope="module")
def policies(request: pytest.FixtureRequest) -> list[Statement]:
    """The policies of production with every option and named people."""
    people = {"on_call": (ON_CALL,), "repair": (REPAIR,), "tailers": (OUTSIDE,)}
    return statements(with_people(VARIANTS["everything"], people, request.getfixturevalue("tmp_path_factory")))


def with_people(environment: Environment, people: Mapping[str, tuple[str, ...]], folders: Any) -> Any:
    folder = folders.mktemp("people")
    package = package_of(folder)
    named = environment.model_copy(update={"people": environment.people.model_validate(people)})
    return of_environment(named, folder / "out", package=package).template


@pytest.mark.parametrize(("resource", "action"), list(calls()))
def test_unlisted_principal_is_denied(policies: list[Statement], resource: str, action: str) -> None:
    """Each role of the stack, each of its people, and an administrator, by the resource's own policy."""
    through = {who for who in PRINCIPALS if not denied(policies, action, resource, PrincipalArn=who, PrincipalAccount=ACCOUNT)}
    assert through == LISTED.get((resource, action), set())
    assert not denied(policies, action, resource, PrincipalArn=REPAIR, PrincipalAccount=ACCOUNT)


def test_every_role_of_the_stack_is_in_the_table(made: Made) -> None:
    """A new one has to be listed, or is denied."""
    roles = {
        one.own and one.resources[0] for one in statements(made("everything").template) if one.actions == ("sts:AssumeRole",)
    }
    assert roles == {who for who in PRINCIPALS if not who.startswith("arn:")}


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_that_the_stack_grants_is_denied(made: Made, variant: str) -> None:
    """Every right of every role in every kind of environment."""
    found = statements(made(variant).template)
    checked = 0
    for one in found:
        if one.allowed and not one.own:
            for action in one.actions:
                for resource in one.resources:
                    checked += 1
                    assert not denied(found, action, resource, PrincipalArn=one.who, PrincipalAccount=ACCOUNT), (
                        one.who,
                        action,
                    )
    assert checked > 20


@pytest.mark.parametrize("variant", VARIANTS)
def test_role_without_a_grant_is_denied(made: Made, variant: str) -> None:
    """On the queues, the table and the bus."""
    found = statements(made(variant).template)
    granted = {(one.who, action, on) for one in found if one.allowed for action in one.actions for on in one.resources}
    roles = {one.resources[0] for one in found if one.actions == ("sts:AssumeRole",)}
    tailer = TAILER in roles
    of_tailers = {"sqs:SendMessage Queues/Changes", "dynamodb:GetItem State/Table", "dynamodb:PutItem State/Table"}
    there = {resource for one in found for resource in one.resources}
    for resource, action in calls():
        if (
            resource.startswith("State/Claims")
            or resource not in there
            or (not tailer and f"{action} {resource}" in of_tailers)
        ):
            continue
        through = {who for who in roles if not denied(found, action, resource, PrincipalArn=who, PrincipalAccount=ACCOUNT)}
        assert through == {who for who in roles if (who, action, resource) in granted}, (action, resource)


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_data_and_calls_without_tls_are_denied(made: Made, variant: str) -> None:
    """Settings, policies and deletion stay with the account, so the stack can be updated, repaired and deleted."""
    data = {action for actions in DATA.values() for action in actions} | {"events:PutRawEvents"}
    for one in statements(made(variant).template):
        if not one.allowed and set(one.actions) - data:
            assert one.conditions in (("aws:SecureTransport is false",), ("s3:TlsVersion is below 1.2",))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_resource_with_data_requires_tls(made: Made, variant: str) -> None:
    """Each queue, the table, the bucket, the bus and the topic, in every environment."""
    found = statements(made(variant).template)
    kinds = (
        "AWS::SQS::Queue",
        "AWS::DynamoDB::Table",
        "AWS::S3::Bucket",
        "AWS::Events::EventBus",
        "AWS::EventsV2::EventBus",
        "AWS::SNS::Topic",
    )
    resources = made(variant).template["Resources"].values()
    paths = [
        one["Metadata"]["aws:cdk:path"].split("/", 2)[2].removesuffix("/Resource") for one in resources if one["Type"] in kinds
    ]
    plain = {
        resource
        for one in found
        if not one.allowed and "aws:SecureTransport is false" in one.conditions
        for resource in one.resources
    }
    assert len(paths) >= 6
    assert [path for path in paths if path not in plain] == []


def test_accounts_may_read_only_their_events(policies: list[Statement]) -> None:
    """The bucket's policy denies other accounts and other objects."""
    for account, below, expected in (
        (THEIRS, LARGE, False),
        ("222233334444", LARGE, True),
        (THEIRS, CLAIMS, True),
        (THEIRS, PARKED, True),
    ):
        who = f"arn:aws:iam::{account}:role/reader"
        assert denied(policies, "s3:GetObject", below, PrincipalArn=who, PrincipalAccount=account) is expected


def test_eventbridge_may_write_only_undelivered_events(policies: list[Statement]) -> None:
    """A service calls without a role, and is allowed only where a classic bus writes."""
    through = {
        (resource, action)
        for resource, action in calls()
        if not denied(policies, action, resource, PrincipalIsAWSService="true")
    }
    assert through == {(queue, SEND) for queue in QUEUES[3:]} | {("Events/Bus/Bus", "events:PutEvents")}


def test_sending_is_open_to_the_account_without_a_known_tailer() -> None:
    """A tailer elsewhere cannot be distinguished. Once named, it is the only one."""
    changes, table = "QueuesChanges7C3971B2", "StateTable962DE04C"
    for people, expected in (({}, False), ({"tailers": [OUTSIDE]}, True)):
        found = statements(stack(database=None, streams=[], people=people).to_json())
        for action, resource in ((SEND, changes), ("dynamodb:PutItem", table)):
            assert denied(found, action, resource, PrincipalArn=ADMINISTRATOR, PrincipalAccount=ACCOUNT) is expected
            assert not denied(found, action, resource, PrincipalArn=OUTSIDE, PrincipalAccount=THEIRS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_the_queue_of_changes_uses_our_dead_letter_queue(made: Made, variant: str) -> None:
    """A redrive needs no right to send, so every queue declares whose dead letters it accepts."""
    resources = made(variant).template["Resources"]
    queues = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue"}
    allowed = {name: one["RedriveAllowPolicy"] for name, one in queues.items()}
    [dead_letters] = [name for name in queues if "DeadLetters" in name]
    [changes] = [one for name, one in queues.items() if "Changes" in name]
    assert changes["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [dead_letters, "Arn"]}
    takes = allowed.pop(dead_letters)
    [source] = takes["sourceQueueArns"]
    assert takes["redrivePermission"] == "byQueue"
    name = changes["QueueName"]["Fn::Join"][1]
    *_, before = source["Fn::Join"][1][: 1 - len(name)]
    assert (before, source["Fn::Join"][1][1 - len(name) :]) == (f":{name[0]}", name[1:])
    assert all(one == {"redrivePermission": "denyAll"} for one in allowed.values())


@pytest.mark.parametrize("variant", VARIANTS)
def test_service_roles_are_for_this_account_only(made: Made, variant: str) -> None:
    """Nobody can use a service on behalf of another account."""
    trusted = [one for one in statements(made(variant).template) if one.actions == ("sts:AssumeRole",)]
    assert trusted
    assert [one for one in trusted if "aws:SourceAccount is ACCOUNT" not in one.conditions] == []
    known = {one.who for one in trusted if any(condition.startswith("aws:SourceArn") for condition in one.conditions)}
    classic = (
        {"events.amazonaws.com"}
        if any("Events/Bus/Bus" in str(one.resources) for one in statements(made(variant).template))
        else set()
    )
    expected = {"ecs-tasks.amazonaws.com", "vpc-flow-logs.amazonaws.com", "scheduler.amazonaws.com", *classic}
    assert known == {one.who for one in trusted} & expected


@pytest.mark.parametrize("variant", VARIANTS)
def test_call_without_a_key_does_not_match_for_all_values(made: Made, variant: str) -> None:
    """``ForAllValues`` is true without any value, so ``Null`` stands beside it."""

    def conditions(value: Any) -> Iterator[Mapping[str, Any]]:
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if isinstance(value, dict) and isinstance(value.get("Condition"), dict):
            yield value["Condition"]
        for part in parts:
            yield from conditions(part)

    found = [one for one in conditions(made(variant).template["Resources"]) if any("ForAllValues" in name for name in one)]
    assert found
    for one in found:
        keys = {key for name, values in one.items() if name.startswith("ForAllValues") for key in values}
        assert one.get("Null") == dict.fromkeys(keys, "false")


def test_existing_network_keeps_the_tailer_the_only_sender() -> None:
    template = stack(network=EXISTING_VPC, streams=STREAMS)
    [policy] = [one for name, one in of_type(template, "AWS::SQS::QueuePolicy").items() if "Changes" in name]
    sending = [one for one in policy["PolicyDocument"]["Statement"] if one["Action"] == "sqs:SendMessage"]
    assert [one["Effect"] for one in sending] == ["Deny"]


@pytest.mark.parametrize(
    ("named", "taken"),
    [
        (ON_CALL, True),
        (f"arn:aws:iam::{THEIRS}:user/ada", True),
        (f"arn:aws:iam::{THEIRS}:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_OnCall_*", True),
        ("*", False),
        (f"arn:aws:iam::{THEIRS}:role/*", False),
        (f"arn:aws:iam::{THEIRS}:*", False),
        (f"arn:aws:iam::{THEIRS}:root", False),
        ("arn:aws:iam::*:role/on-call", False),
        (f"arn:aws:sts::{THEIRS}:assumed-role/on-call/ada", False),
    ],
)
def test_people_are_roles_and_never_everybody(named: str, taken: bool) -> None:
    """A session's ARN would never match, and a wildcard would undo the denial."""
    for setting in People.model_fields:
        with nullcontext() if taken else pytest.raises(ValidationError, match="String should match pattern"):
            People.model_validate({setting: [named]})
