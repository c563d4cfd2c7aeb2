"""A deployment enables change streams before the tailer starts, and disables them only on request."""

from typing import Any

import pytest
from aws_cdk.assertions import Template

from tailer.cli.arguments import parser
from tailer.mongodb.connection.uri import names_a_user
from tailrace_cdk.tailing.enabling_function import handler
from tests.tailrace_cdk.template import EXISTING_DATABASE, EXISTING_VPC, SECRET, container, of_type, only, stack, variables

DONE = "Custom::ChangeStreams"


@pytest.fixture(scope="module")
def template() -> Template:
    return stack()


def existing(**database: Any) -> Template:
    return stack(network=EXISTING_VPC, database={**EXISTING_DATABASE, **database})


def test_tailers_role_becomes_a_reader(template: Template) -> None:
    """By a valid command."""
    *command, role = only(template, DONE)["Enable"]
    assert role["Fn::GetAtt"][0].startswith("ServiceTaskRole")
    arn = "arn:aws:iam::000000000000:role/tailer"
    assert parser(lambda *_: None).parse_args([*command, arn]).reader == arn


def test_password_user_is_no_reader() -> None:
    """Its owner creates it."""
    command = only(existing(authentication="secret", secret_arn=SECRET), DONE)["Enable"]
    assert command == ["change-streams", "enable"]
    assert parser(lambda *_: None).parse_args(command).reader is None


def test_enabling_task_signs_in_as_the_administrator() -> None:
    """With a secret that only its own execution role can read."""
    template = existing()
    assert not names_a_user(variables(template, "Enabling")["TAILER_MONGODB_URI"])
    assert {one["ValueFrom"] for one in container(template, "Enabling")["Secrets"]} == {
        f"{EXISTING_DATABASE['admin_secret_arn']}:{key}::" for key in ("username", "password")
    }
    readers = [
        name for name, policy in of_type(template, "AWS::IAM::Policy").items() if "secretsmanager:GetSecretValue" in str(policy)
    ]
    assert [name.rstrip("0123456789ABCDEF") for name in readers] == ["EnablingTaskExecutionRoleDefaultPolicy"]


def test_admin_secret_of_a_new_cluster_is_looked_up(template: Template) -> None:
    """CloudFormation does not return it. The function may describe only that cluster."""
    assert only(template, "Custom::AdminSecret")["Cluster"] == "tailrace-test"
    [username, _] = container(template, "Enabling")["Secrets"]
    assert username["ValueFrom"]["Fn::Join"][1][0]["Fn::GetAtt"][1] == "SecretArn"
    [look] = [one for one in _may(template) if one["Action"] == "rds:DescribeDBClusters"]
    assert look["Resource"]["Fn::Join"][1][-1] == ":cluster:tailrace-test"


def test_enabling_function_may_run_one_task_only(template: Template) -> None:
    """In one cluster, with the two roles of that task, which it may pass to ECS only."""
    statements = {one["Sid"]: one for one in _may(template)}
    run = statements["RunTheTask"]
    assert run["Resource"]["Fn::Join"][1][-1] == ":task-definition/tailrace-test-change-streams:*"
    assert run["Condition"]["ArnEquals"]["ecs:cluster"]["Fn::GetAtt"][0].startswith("ServiceCluster")
    lend = statements["LendItItsRoles"]
    roles = [role["Fn::GetAtt"][0].rstrip("0123456789ABCDEF") for role in lend["Resource"]]
    assert roles == ["EnablingTaskRole", "EnablingTaskExecutionRole"]
    assert lend["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    family = only(template, "AWS::ECS::TaskDefinition", "Enabling")["Family"]
    assert run["Resource"]["Fn::Join"][1][-1] == f":task-definition/{family}:*"


def _may(template: Template) -> list[dict[str, Any]]:
    policy = only(template, "AWS::IAM::Policy", "EnablingRole")
    return list(policy["PolicyDocument"]["Statement"])


def test_enabling_task_has_no_rights_in_aws(template: Template) -> None:
    """It works in the database only."""
    roles = [role["Ref"] for policy in of_type(template, "AWS::IAM::Policy").values() for role in policy["Roles"]]
    [own] = [name for name in of_type(template, "AWS::IAM::Role") if name.startswith("EnablingTaskRole")]
    assert own not in roles


def test_deployment_cannot_wait_for_an_hour(template: Template) -> None:
    """The function's timeout is shorter than CloudFormation's, and the timeout of its response shorter still."""
    timeout = only(template, "AWS::Lambda::Function", "Enabling")["Timeout"]
    for kind in (DONE, "Custom::AdminSecret"):
        assert timeout < int(only(template, kind)["ServiceTimeout"]) <= 1_200
    assert timeout / 10 > handler.RESPONSE_SECONDS


def test_request_of_cloudformation_is_handled_once(template: Template) -> None:
    """Lambda would retry a failure, but each request has its response already."""
    assert only(template, "AWS::Lambda::EventInvokeConfig", "Enabling")["MaximumRetryAttempts"] == 0


def test_enabling_waits_for_its_dependencies(template: Template) -> None:
    """The database's instances, the network, and the rights of the execution role."""
    [done] = template.find_resources(DONE).values()
    kinds = {template.to_json()["Resources"][name]["Type"] for name in done["DependsOn"]}
    needed = {"AWS::DocDB::DBInstance", "AWS::EC2::VPCEndpoint", "AWS::EC2::SecurityGroupIngress", "AWS::IAM::Policy"}
    assert kinds >= needed | {"AWS::Lambda::EventInvokeConfig"}


def test_nothing_is_disabled_by_default(template: Template) -> None:
    """Disabled change streams lose their history, for every reader."""
    assert "Disable" not in only(template, DONE)


@pytest.mark.parametrize(
    ("tables", "disables"),
    [
        ({"database": {"disable_change_streams": True}}, True),
        ({"database": {"disable_change_streams": True}, "removal": "destroy"}, False),
        (
            {"database": {**EXISTING_DATABASE, "disable_change_streams": True}, "removal": "destroy", "network": EXISTING_VPC},
            True,
        ),
    ],
    ids=["a-cluster-that-stays", "a-cluster-that-goes", "somebody-elses"],
)
def test_disabling_happens_only_if_the_cluster_outlives_the_stack(tables: dict[str, Any], disables: bool) -> None:
    """By a valid command."""
    command = only(stack(**tables), DONE).get("Disable")
    assert bool(command) is disables
    if command:
        *words, _ = command
        assert parser(lambda *_: None).parse_args([*words, "arn:aws:iam::000000000000:role/tailer"]).reader


def test_no_administrator_access_without_enabling() -> None:
    """No function, no task, no secret."""
    template = stack(database={"enable_change_streams": False})
    template.resource_count_is(DONE, 0)
    template.resource_count_is("Custom::AdminSecret", 0)
    assert not [name for name in template.to_json()["Resources"] if name.startswith("Enabling")]
