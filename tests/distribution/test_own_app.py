"""
A team's own project and CDK app, made by the installed wheel and deployed to the emulator's CloudFormation with a bus and a VPC
that exist already.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from devstack import DevStack
from devstack.stack import function_target
from tailrace.dev import resources as dev
from tailrace.dev.consumer import Consumer
from tailrace.dev.tailer import TailerProcess
from tests.distribution.installation import Installed, InstalledWheel
from tests.distribution.new_project import Shop, timed
from tests.page_files import write_files
from tests.tailrace_cdk.deployment import LEFT_OUT, Deployment, Resource, bootstrap, deploy, publish, remove, without

PAGE = "how-to/your-own-cdk-app.md"
BUS = "company"
STACK = "shop-trial"
NOT_HERE = {
    *LEFT_OUT,
    "AWS::CloudWatch::Alarm",  # the emulator has no alarms on metric math
    "AWS::CloudWatch::Dashboard",  # it names the alarms
}
TIMEOUT = 30.0  # seconds; the function's first start is the slowest
ENVIRONMENT = """
[environment]
removal = "destroy"

[environments.trial.tailer]
mongodb_uri = "mongodb://one.example/?replicaSet=rs0&tls=true"
"""
FUNCTIONS_OF_THIS_MACHINE = """
from pathlib import Path
import tailrace
from tailrace.packaging import build
from tailrace.project import load
print(tailrace.__file__)
package = build(load(), Path("dist/here.zip"), python={!r}, platform={!r})
"""


@dataclass(frozen=True, kw_only=True)
class Company:
    """What the company has before: a bus, and a VPC with two subnets."""

    vpc_id: str
    subnet_ids: tuple[str, ...]


@pytest.fixture(scope="module")
def company(stack: DevStack) -> Company:
    dev.event_bus(stack.aws, BUS)
    network = stack.aws("ec2")
    vpc_id = network.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = (network.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{number}.0/24") for number in range(2))
    return Company(vpc_id=vpc_id, subnet_ids=tuple(subnet["Subnet"]["SubnetId"] for subnet in subnets))


@pytest.fixture(scope="module")
def installed(installed_wheel: InstalledWheel) -> Installed:
    return installed_wheel("dev,cdk")


@pytest.fixture(scope="module")
def shop(initialised: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The new project, with a MongoDB that runs elsewhere."""
    shop = Shop.copied(initialised, tmp_path_factory.mktemp("app"))
    file = shop.folder / "tailrace.toml"
    file.write_text(file.read_text().partition("# The environments")[0] + ENVIRONMENT)
    return shop


def write_app(shop: Shop, company: Company) -> None:
    """Write the app of the page, with the network of the company, and with a package for the functions of this machine."""
    write_files(PAGE, shop.folder)
    file = shop.folder / "app.py"
    ids = iter(company.subnet_ids)
    app = re.sub(r"subnet-\w+", lambda _: next(ids), file.read_text())
    app = re.sub(r"vpc-\w+", company.vpc_id, app).replace("OrderPlaced", "OrderCreated")
    app = app.replace("bus=bus)", "bus=bus, package=package)")
    file.write_text(app.replace("\napp = App()", FUNCTIONS_OF_THIS_MACHINE.format(*function_target()) + "\napp = App()"))


@pytest.fixture(scope="module")
def template(installed: Installed, shop: Shop, company: Company) -> Resource:
    """The stack that the app writes to ``cdk.out``, with no Tailrace but that of the wheel."""
    write_app(shop, company)
    with timed("python -P app.py"):
        made = installed.run("python", "-P", "app.py", folder=shop.folder, CDK_OUTDIR="cdk.out")
    assert installed.folder in Path(made.stdout.strip()).parents
    found: Resource = json.loads((shop.folder / "cdk.out" / f"{STACK}.template.json").read_text())
    return found


@pytest.fixture(scope="module")
def deployed(stack: DevStack, shop: Shop, template: Resource) -> Iterator[Deployment]:
    bootstrap(stack.aws)
    publish(stack.aws, shop.folder / "cdk.out", STACK)
    yield deploy(stack.aws, STACK, without(template, NOT_HERE))
    remove(stack.aws, STACK)


def test_app_makes_no_bus_and_no_network(deployed: Deployment) -> None:
    """Everything else is deployed, the tailer's service too."""
    kinds = {one["ResourceType"] for one in deployed.resources.values()}
    assert kinds.isdisjoint({"AWS::Events::EventBus", "AWS::EC2::VPC", "AWS::EC2::Subnet"})
    assert kinds >= {"AWS::ECS::Service", "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::EC2::SecurityGroup"}


def test_schemas_are_those_of_the_project(template: Resource, shop: Shop) -> None:
    """Each schema is registered as the file that the project has committed, and no other is."""
    registered = [one["Properties"] for one in template["Resources"].values() if one["Type"] == "AWS::EventSchemas::Schema"]
    committed = {path.name: json.loads(path.read_text()) for path in (shop.folder / "schemas").glob("*.openapi.json")}
    assert {f"{one['SchemaName']}.openapi.json": json.loads(one["Content"]) for one in registered} == committed
    assert "app.shop@OrderCreated-v1.openapi.json" in committed


def test_order_reaches_the_bus_of_the_company_through_the_mapper_of_the_project(
    deployed: Deployment, installed: Installed, stack: DevStack
) -> None:
    """Database, the wheel's tailer, the deployed queue and function, the existing bus, and the rule and queue of the app."""
    found = deployed.physical
    settings = {
        "TAILER_QUEUE_URL": found("AWS::SQS::Queue", "Changes"),
        "TAILER_CHECKPOINTS": f"dynamodb://{found('AWS::DynamoDB::Table')}",
        "TAILER_CLAIM_BUCKET": found("AWS::S3::Bucket"),
        "TAILER_STREAM": "orders",
        "TAILER_DATABASE": "shop",
        "TAILER_COLLECTIONS": "orders",
    }
    tailer = TailerProcess(
        stack.workspace,
        stack.tailer_settings | settings,
        "tailer-of-the-wheel",
        within=lambda command: [str(installed.python), *command[1:]],
    )
    tailer.wait_ready()
    stack.mongo["shop"].orders.insert_one({"_id": "one", "total": 3})
    [event] = Consumer(stack.aws("sqs"), found("AWS::SQS::Queue", "Orders")).receive_count(1, TIMEOUT)
    assert tailer.stop() == 0
    assert (event.name, event.data["orderId"]) == ("OrderCreated", "one")
