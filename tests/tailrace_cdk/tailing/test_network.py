"""The network is private unless an environment says otherwise, and only needed parts are paid for."""

from functools import cache
from itertools import permutations
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tailrace_cdk.removal import apply_removal_policy
from tailrace_cdk.tailing import endpoints
from tailrace_cdk.tailing.network import Network
from tests.tailrace_cdk.template import EXISTING_DATABASE, EXISTING_VPC, SECRET, environment, of_type, only, stack

ENDPOINT = "AWS::EC2::VPCEndpoint"


def made(**tables: Any) -> Template:
    """Return the template of an environment's network alone."""
    stack = Stack(App(builtin_cloud_formation_validation=False), "Test")
    Network(stack, "Network", environment=environment(**tables), key=None)
    apply_removal_policy(stack, environment(**tables))
    return Template.from_stack(stack)


@pytest.fixture(scope="module")
def closed() -> Template:
    return made()


@cache
def fixed_properties(kind: str) -> list[str]:
    """Return the properties that CloudFormation changes only by replacement."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("eu-west-1", kind).schema
    return [path.split("/")[2] for path in schema.get("createOnlyProperties", [])]


def services(template: Template, kind: str) -> set[str]:
    """Return the services of the endpoints of this kind."""
    found = of_type(template, ENDPOINT).values()
    return {one["ServiceName"]["Fn::Join"][1][-1].lstrip(".") for one in found if one["VpcEndpointType"] == kind}


def private(template: Template) -> dict[str, Any]:
    """Return the subnets of tasks and databases."""
    return {name: one for name, one in of_type(template, "AWS::EC2::Subnet").items() if "Private" in name}


def test_private_network_has_no_route_to_the_internet(closed: Template) -> None:
    """No gateway, no public subnet, no public address."""
    for kind in ("AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::Route"):
        closed.resource_count_is(kind, 0)
    assert {subnet["MapPublicIpOnLaunch"] for subnet in of_type(closed, "AWS::EC2::Subnet").values()} == {False}


def test_endpoints_are_those_that_a_task_needs(closed: Template) -> None:
    """Interfaces cost money per hour and zone; gateways cost nothing."""
    assert services(closed, "Interface") == {"sqs", "logs", "ecr.api", "ecr.dkr", "secretsmanager", "sts"}
    assert services(closed, "Gateway") == {"s3", "dynamodb"}


@pytest.mark.parametrize(
    ("database", "unneeded"),
    [
        ({"authentication": "secret", "secret_arn": SECRET}, {"sts"}),
        ({"enable_change_streams": False}, {"secretsmanager"}),
    ],
    ids=["a-password-needs-no-sts", "without-a-password-no-secret"],
)
def test_unneeded_endpoint_is_not_created(database: dict[str, Any], unneeded: set[str]) -> None:
    """By the way the tailer signs in, and by whether change streams are enabled."""
    assert services(made(database=database), "Interface") == set(endpoints.ACTIONS) - unneeded


def test_endpoints_accept_only_credentials_of_this_account(closed: Template) -> None:
    """No data leaves with another account's credentials. Image layers are read by signed links into an AWS bucket."""
    for name, endpoint in of_type(closed, ENDPOINT).items():
        for statement in endpoint["PolicyDocument"]["Statement"]:
            assert "*" not in str(statement["Action"]), name
            account = statement.get("Condition", {}).get("StringEquals", {}).get("aws:PrincipalAccount")
            assert account == {"Ref": "AWS::AccountId"} or "starport-layer-bucket/*" in str(statement["Resource"]), name


def test_gateways_reach_only_resources_of_this_account(closed: Template) -> None:
    for gateway in (one for one in of_type(closed, ENDPOINT).values() if one["VpcEndpointType"] == "Gateway"):
        conditions = gateway["PolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
        assert conditions["aws:ResourceAccount"] == {"Ref": "AWS::AccountId"}


def test_endpoint_policies_allow_every_right_of_the_tasks() -> None:
    template = stack()
    passing = {action for actions in (*endpoints.ACTIONS.values(), *endpoints.GATEWAYS.values()) for action in actions}
    tasks = {role for role in of_type(template, "AWS::IAM::Role") if "Task" in role}
    policies = of_type(template, "AWS::IAM::Policy").values()
    statements = [
        statement
        for policy in policies
        if {role["Ref"] for role in policy["Roles"]} & tasks
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    asked = {
        action
        for statement in statements
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert asked >= {"sqs:SendMessage", "ecr:BatchGetImage", "secretsmanager:GetSecretValue"}
    # Only the doctor asks these two about the forwarder; a network of endpoints has none for them.
    assert {action.partition(":")[0] for action in asked - passing} == {"lambda", "events"}


def test_only_tailers_and_their_database_connect_to_endpoints() -> None:
    """By their security groups, on 443."""
    template = stack()
    rules = of_type(template, "AWS::EC2::SecurityGroupIngress").values()
    into = [rule for rule in rules if "Endpoints" in rule["GroupId"]["Fn::GetAtt"][0]]
    sources = {rule["SourceSecurityGroupId"]["Fn::GetAtt"][0] for rule in into}
    assert {rule["FromPort"] for rule in into} == {rule["ToPort"] for rule in into} == {443}
    assert {source.rstrip("0123456789ABCDEF") for source in sources} == {"ServiceSecurityGroup", "DatabaseSecurityGroup"}


def test_every_flow_is_logged(closed: Template) -> None:
    """By a role for the VPC's flow logs only."""
    flows = only(closed, "AWS::EC2::FlowLog")
    assert (flows["TrafficType"], flows["ResourceType"]) == ("ALL", "VPC")
    [trusted] = only(closed, "AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}


@pytest.mark.parametrize("zones", [2, 3])
def test_subnets_are_spread_over_zones(zones: int) -> None:
    """By number, so no account is read."""
    subnets = of_type(made(network={"zones": zones}), "AWS::EC2::Subnet").values()
    assert [subnet["AvailabilityZone"]["Fn::Select"][0] for subnet in subnets] == list(range(zones))


@pytest.mark.parametrize("egress", ["endpoints", "nat"])
def test_subnets_are_in_the_named_zones(egress: str) -> None:
    """Not every zone has everything: one of us-east-1 has no Fargate on arm64."""
    named = ["us-east-1b", "us-east-1d"]
    template = made(network={"availability_zones": named, "egress": egress})
    assert [subnet["AvailabilityZone"] for subnet in private(template).values()] == named


@pytest.mark.parametrize("egress", ["endpoints", "nat"])
def test_subnets_are_in_the_zones_with_the_given_ids(egress: str) -> None:
    """An id is the same zone in every account."""
    ids = ["use1-az1", "use1-az2"]
    subnets = of_type(made(network={"availability_zones": ids, "egress": egress}), "AWS::EC2::Subnet")
    assert not any("AvailabilityZone" in subnet for subnet in subnets.values())
    for kind in ("Private", "Public") if egress == "nat" else ("Private",):
        assert [one["AvailabilityZoneId"] for name, one in subnets.items() if kind in name] == ids


def test_no_shape_reuses_the_addresses_of_another_subnet() -> None:
    """
    A subnet's addresses cannot be changed, and a new subnet is created before the old one is deleted, so each subnet has the
    same addresses in every shape.
    """
    shapes = [
        of_type(made(network={"zones": zones, "egress": egress}), "AWS::EC2::Subnet")
        for zones in (2, 3)
        for egress in ("endpoints", "nat")
    ]
    assert [len(shape) for shape in shapes] == [2, 4, 3, 6]
    everything = {name: subnet["CidrBlock"] for shape in shapes for name, subnet in shape.items()}
    assert len(everything) == len(set(everything.values())) == 6
    for shape in shapes:
        assert {name: subnet["CidrBlock"] for name, subnet in shape.items()}.items() <= everything.items()


def test_no_change_of_shape_replaces_a_resource() -> None:
    """By CloudFormation's schema."""
    shapes = [
        made(network={"zones": zones, "egress": egress}).to_json()["Resources"]
        for zones in (2, 3)
        for egress in ("endpoints", "nat")
    ]
    for before, after in permutations(shapes, 2):
        for name in before.keys() & after.keys():
            fixed = fixed_properties(before[name]["Type"])
            assert {one: before[name]["Properties"].get(one) for one in fixed} == {
                one: after[name]["Properties"].get(one) for one in fixed
            }, name


def test_smallest_network_has_room_for_every_subnet() -> None:
    """AWS accepts no subnet below 16 addresses, which is /28."""
    subnets = of_type(made(network={"cidr": "10.42.0.0/24", "zones": 3, "egress": "nat"}), "AWS::EC2::Subnet").values()
    assert {int(subnet["CidrBlock"].rpartition("/")[2]) for subnet in subnets} == {27}


@pytest.mark.parametrize(("asked", "made_of_them"), [(1, 1), (3, 2)])
def test_there_are_at_most_as_many_nat_gateways_as_zones(asked: int, made_of_them: int) -> None:
    template = made(network={"egress": "nat", "nat_gateways": asked})
    template.resource_count_is("AWS::EC2::NatGateway", made_of_them)


def test_nat_allows_outgoing_connections_only() -> None:
    """Without interface endpoints. Tasks are in subnets without public addresses."""
    template = made(network={"egress": "nat", "nat_gateways": 2})
    template.resource_count_is("AWS::EC2::NatGateway", 2)
    assert services(template, "Interface") == set()
    assert services(template, "Gateway") == {"s3", "dynamodb"}
    assert {subnet["MapPublicIpOnLaunch"] for subnet in of_type(template, "AWS::EC2::Subnet").values()} == {False}


def test_nothing_is_created_in_an_existing_vpc() -> None:
    """Tasks run in the given subnets."""
    template = stack(network=EXISTING_VPC, database=EXISTING_DATABASE)
    for kind in ("AWS::EC2::VPC", "AWS::EC2::Subnet", ENDPOINT, "AWS::EC2::FlowLog"):
        template.resource_count_is(kind, 0)
    network = only(template, "AWS::ECS::Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["Subnets"] == EXISTING_VPC["private_subnet_ids"]


@pytest.mark.parametrize(
    ("tables", "policy"),
    [
        ({}, "Retain"),
        ({"network": {"egress": "nat"}}, "Retain"),
        ({"removal": "destroy"}, "Delete"),
        ({"database": EXISTING_DATABASE}, "Retain"),
        ({"database": None, "tailer": {"mongodb_uri": "mongodb://host"}, "network": {"egress": "nat"}}, None),
    ],
    ids=["kept", "kept-with-a-way-out", "destroyed", "restored-into-it", "not-in-it"],
)
def test_subnets_outlive_the_stack_if_the_database_does(tables: dict[str, Any], policy: str | None) -> None:
    """Otherwise the deletion would fail."""
    template = made(**tables)
    vpc = template.find_resources("AWS::EC2::VPC")
    kept = {
        **vpc,
        **{name: one for name, one in template.find_resources("AWS::EC2::Subnet").items() if name in private(template)},
    }
    assert len(kept) == 3
    assert {resource.get("DeletionPolicy") for resource in kept.values()} == {policy}


def test_subnets_that_no_database_needs_are_deleted() -> None:
    """A remaining public subnet would block the next one with its addresses."""
    subnets = made(network={"egress": "nat"}).find_resources("AWS::EC2::Subnet")
    public = [one for name, one in subnets.items() if "Public" in name]
    assert len(public) == 2
    assert {one.get("DeletionPolicy", "Delete") for one in public} == {"Delete"}
