"""A team's own project and CDK app, deployed to the emulator's CloudFormation with a bus and a VPC that exist already."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from constructs import Construct

from devstack import DevStack
from tailrace.dev import resources as dev
from tailrace.dev.aws import REGION, arn
from tailrace.dev.consumer import Consumer
from tailrace.packaging import Package
from tailrace.project import Project, load
from tailrace_cdk import Tailrace
from tailrace_cdk.project_environment import settings_of
from tailrace_cdk.synthesis.synthesis import Synthesised, synthesise
from tailrace_cdk.synthesis.template import PlainStack
from tests.tailrace.packaging import shop
from tests.tailrace_cdk.deployment import Deployment, bootstrap, deploy, publish, remove, without
from tests.tailrace_cdk.here import LEFT_OUT

NOT_HERE = {
    *LEFT_OUT,
    "AWS::CloudWatch::Alarm",  # the emulator has no alarms on metric math
    "AWS::CloudWatch::Dashboard",  # it names the alarms
}
BUS = "company"
ZONES = ("eu-west-1a", "eu-west-1b")
TIMEOUT = 30.0  # seconds; the function's first start is the slowest
PROJECT = """
name = "shop"
mappers = "events:MAPPERS"

[[streams]]
name = "orders"
database = "shop"
collections = ["orders"]

[environment]
removal = "destroy"

[environments.trial.tailer]
mongodb_uri = "mongodb://one.example/?replicaSet=rs0&tls=true"

[environments.messaging.alarms]
lag_seconds = 60
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return load(shop.write(tmp_path_factory.mktemp("shop"), tailrace_toml=PROJECT))


@pytest.fixture(scope="module")
def package(project: Project) -> Package:
    return shop.built(project.folder)


@dataclass(frozen=True, kw_only=True)
class Company:
    """What the company has before: a bus with a queue, and a VPC."""

    queue_url: str
    vpc_id: str
    subnet_ids: tuple[str, ...]


@pytest.fixture(scope="module")
def company(stack: DevStack) -> Company:
    dev.event_bus(stack.aws, BUS)
    queue_url = dev.queue_of_a_rule(stack.aws, BUS, bus=BUS, rule=BUS)
    dev.rule(stack.aws, BUS, bus=BUS, pattern={"source": [{"prefix": "shop"}]}, target={"Id": BUS, "Arn": arn("sqs", BUS)})
    network = stack.aws("ec2")
    vpc_id = network.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        network.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate(ZONES)
    ]
    return Company(queue_url=queue_url, vpc_id=vpc_id, subnet_ids=tuple(subnets))


def app_of_the_team(app: Construct, company: Company, project: Project, package: Package) -> Stack:
    """The app as the team writes it, but for the package, which is for the functions of this machine."""
    stack = Stack(app, "shop-trial")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id=company.vpc_id, availability_zones=list(ZONES), private_subnet_ids=list(company.subnet_ids)
    )
    bus = events.EventBus.from_event_bus_name(stack, "Bus", BUS)
    Tailrace.of_project(stack, "Tailrace", "trial", project=project, package=package, bus=bus, vpc=vpc)
    return stack


@dataclass(frozen=True, kw_only=True)
class Deployed:
    made: Synthesised
    deployment: Deployment


@pytest.fixture(scope="module")
def deployed(
    stack: DevStack, company: Company, project: Project, package: Package, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """The synthesis finds no departure from the rules of cdk-nag without a reason."""
    made = synthesise(lambda app: app_of_the_team(app, company, project, package), tmp_path_factory.mktemp("app") / "cdk.out")
    bootstrap(stack.aws)
    publish(stack.aws, made)
    yield Deployed(made=made, deployment=deploy(stack.aws, made.stack, without(made.template, NOT_HERE)))
    remove(stack.aws, made.stack)


def test_app_makes_no_bus_and_no_network(deployed: Deployed) -> None:
    """Everything else is deployed, the tailer's service too."""
    kinds = {one["ResourceType"] for one in deployed.deployment.resources.values()}
    assert kinds.isdisjoint({"AWS::Events::EventBus", "AWS::EC2::VPC", "AWS::EC2::Subnet"})
    assert kinds >= {"AWS::ECS::Service", "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::EC2::SecurityGroup"}


def test_schemas_are_those_of_the_project(deployed: Deployed, package: Package) -> None:
    """The events of its mappers and the event about gaps, and none of the mappers that we ship."""
    found = [
        one["Properties"] for one in deployed.made.template["Resources"].values() if one["Type"] == "AWS::EventSchemas::Schema"
    ]
    assert sorted(one["SchemaName"] for one in found) == sorted(event.schema_name for event in package.catalogue.events)
    assert "shop.orders@OrderPlaced-v1" in {one["SchemaName"] for one in found}


def test_order_reaches_the_bus_of_the_company_through_the_mapper_of_the_project(
    deployed: Deployed, company: Company, stack: DevStack, fresh: str
) -> None:
    """Database, a tailer with the settings of the task, the deployed queue and function, and the existing bus."""
    resources = deployed.deployment.physical
    tailer = stack.start_tailer(
        queue_url=resources("AWS::SQS::Queue", "Changes"),
        checkpoints=f"dynamodb://{resources('AWS::DynamoDB::Table')}",
        claim_bucket=resources("AWS::S3::Bucket"),
        stream="orders",
        database=fresh,
        collections="orders",
    )
    tailer.wait_ready()
    stack.mongo[fresh].orders.insert_one({"_id": "one", "total": 3})
    [event] = Consumer(stack.aws("sqs"), company.queue_url).receive_count(1, TIMEOUT)
    assert tailer.stop() == 0
    assert (event.name, event.data) == ("OrderPlaced", {"orderId": "one"})


def test_plain_template_is_deployed_without_a_bootstrap(
    stack: DevStack, project: Project, package: Package, tmp_path: Path
) -> None:
    """With the zip in a bucket of the team. Each function has exactly the code of the zip."""
    settings = settings_of(project, "messaging")
    made = synthesise(lambda app: PlainStack(app, settings, package=package), tmp_path / "cdk.out")
    assert made.template["Parameters"].keys() == {"PackageBucket", "PackageKey"}
    assert "cdk-" not in json.dumps([one.get("Properties") for one in made.template["Resources"].values()])
    bucket, key = "zips-of-the-team", f"shop/{package.sha256}.zip"
    stack.aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    stack.aws("s3").upload_file(str(package.path), bucket, key)
    where = {"PackageBucket": bucket, "PackageKey": key}
    deployed = deploy(stack.aws, made.stack, without(made.template, LEFT_OUT), bucket, where)
    functions = [deployed.physical("AWS::Lambda::Function", part) for part in ("Forwarder", "Redrive")]
    sizes = {stack.aws("lambda").get_function(FunctionName=name)["Configuration"]["CodeSize"] for name in functions}
    assert sizes == {package.path.stat().st_size}
    remove(stack.aws, made.stack)
