"""Change streams are enabled by a deployment, before the tailer starts, and disabled only by who asks for it."""

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


def test_the_tailers_role_becomes_a_reader(template: Template) -> None:
    """The command is one that the tailer knows."""
    *command, role = only(template, DONE)["Enable"]
    assert role["Fn::GetAtt"][0].startswith("ServiceTaskRole")
    arn = "arn:aws:iam::000000000000:role/tailer"
    assert parser(lambda *_: None).parse_args([*command, arn]).reader == arn


def test_who_signs_in_with_a_password_is_no_reader() -> None:
    """That user is made by who gave the password."""
    command = only(existing(authentication="secret", secret_arn=SECRET), DONE)["Enable"]
    assert command == ["change-streams", "enable"]
    assert parser(lambda *_: None).parse_args(command).reader is None


def test_the_task_signs_in_as_the_administrator() -> None:
    """With user name and password, which only its own execution role can read."""
    template = existing()
    assert not names_a_user(variables(template, "Enabling")["TAILER_MONGODB_URI"])
    assert {one["ValueFrom"] for one in container(template, "Enabling")["Secrets"]} == {
        f"{EXISTING_DATABASE['admin_secret_arn']}:{key}::" for key in ("username", "password")
    }
    readers = [
        name for name, policy in of_type(template, "AWS::IAM::Policy").items() if "secretsmanager:GetSecretValue" in str(policy)
    ]
    assert [name.rstrip("0123456789ABCDEF") for name in readers] == ["EnablingTaskExecutionRoleDefaultPolicy"]


def test_the_secret_of_a_cluster_of_its_own_is_looked_for(template: Template) -> None:
    """CloudFormation does not tell it. The function may look at that one cluster."""
    assert only(template, "Custom::AdminSecret")["Cluster"] == "tailrace-test"
    [username, _] = container(template, "Enabling")["Secrets"]
    assert username["ValueFrom"]["Fn::Join"][1][0]["Fn::GetAtt"][1] == "SecretArn"
    [look] = [one for one in _may(template) if one["Action"] == "rds:DescribeDBClusters"]
    assert look["Resource"]["Fn::Join"][1][-1] == ":cluster:tailrace-test"


def test_the_function_may_run_one_task_and_no_other(template: Template) -> None:
    """In one cluster, with the two roles of that task, which only ECS gets."""
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


def test_the_program_in_the_task_may_nothing_in_aws(template: Template) -> None:
    """It works in the database only."""
    roles = [role["Ref"] for policy in of_type(template, "AWS::IAM::Policy").values() for role in policy["Roles"]]
    [own] = [name for name in of_type(template, "AWS::IAM::Role") if name.startswith("EnablingTaskRole")]
    assert own not in roles


def test_a_deployment_cannot_wait_for_an_hour(template: Template) -> None:
    """The function's own time is shorter than CloudFormation's patience, and its time for the answer shorter still."""
    timeout = only(template, "AWS::Lambda::Function", "Enabling")["Timeout"]
    for kind in (DONE, "Custom::AdminSecret"):
        assert timeout < int(only(template, kind)["ServiceTimeout"]) <= 1_200
    assert timeout / 10 > handler.RESPONSE_SECONDS


def test_a_request_is_worked_on_once(template: Template) -> None:
    """Lambda would repeat what failed; each request has its answer already."""
    assert only(template, "AWS::Lambda::EventInvokeConfig", "Enabling")["MaximumRetryAttempts"] == 0


def test_the_step_waits_for_what_it_needs(template: Template) -> None:
    """The database's instances, the ways to AWS, and the rights of who starts the task."""
    [done] = template.find_resources(DONE).values()
    kinds = {template.to_json()["Resources"][name]["Type"] for name in done["DependsOn"]}
    needed = {"AWS::DocDB::DBInstance", "AWS::EC2::VPCEndpoint", "AWS::EC2::SecurityGroupIngress", "AWS::IAM::Policy"}
    assert kinds >= needed | {"AWS::Lambda::EventInvokeConfig"}


def test_nothing_is_disabled_unless_it_is_asked_for(template: Template) -> None:
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
def test_what_is_undone_outlives_the_stack(tables: dict[str, Any], disables: bool) -> None:
    """A cluster that is deleted takes its change streams with it. The command is one that the tailer knows."""
    command = only(stack(**tables), DONE).get("Disable")
    assert bool(command) is disables
    if command:
        *words, _ = command
        assert parser(lambda *_: None).parse_args([*words, "arn:aws:iam::000000000000:role/tailer"]).reader


def test_without_the_step_there_is_no_administrator() -> None:
    """No function, no task, no secret."""
    template = stack(database={"enable_change_streams": False})
    template.resource_count_is(DONE, 0)
    template.resource_count_is("Custom::AdminSecret", 0)
    assert not [name for name in template.to_json()["Resources"] if name.startswith("Enabling")]
