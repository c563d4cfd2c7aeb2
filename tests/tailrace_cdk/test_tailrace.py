"""The construct in an app of one's own: names, several in one stack, and what the app says of all its resources."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, DefaultStackSynthesizer, PermissionsBoundary, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from tailrace.packaging import Package
from tailrace_cdk import Tailrace
from tailrace_cdk.config import Bus, Database, Forwarder, Misconfigured, Network, Stream, Tailer
from tailrace_cdk.synthesis.synthesis import CONTEXT
from tests.tailrace_cdk.package import package as package_of
from tests.tailrace_cdk.template import of_type, only, unchecked

NOT_NAMES = {"AWS::EC2::FlowLog", "AWS::DocDB::DBClusterParameterGroup"}  # types with such a property for something else
BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"
QUALIFIER = "acme"


def streams(*names: str) -> tuple[Stream, ...]:
    return tuple(Stream(name=name, database="shop", collections=(name,)) for name in names)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return package_of(tmp_path_factory.mktemp("package"), "OrderPlaced")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, package: Package) -> Stack:
    """Two whole Tailraces in a stack with a boundary, tags, a name, a qualifier and a region of the app's own."""
    app = App(outdir=str(tmp_path_factory.mktemp("app") / "cdk.out"), context=CONTEXT)
    stack = Stack(
        app,
        "Shop",
        stack_name="acme-shop",
        env={"account": "111122223333", "region": "eu-central-1"},
        synthesizer=DefaultStackSynthesizer(qualifier=QUALIFIER),
        permissions_boundary=PermissionsBoundary.from_arn(BOUNDARY),
    )
    Tags.of(stack).add("team", "shop")
    orders = Tailrace(
        stack, "Orders", package=package, streams=streams("orders"), database=Database(), mappers="acme.orders:MAPPERS"
    )
    Tailrace(stack, "Payments", package=package, streams=streams("payments"), database=Database(), bus=Bus(kind="ordered"))
    operator = iam.Role(stack, "Operator", assumed_by=iam.AccountRootPrincipal())
    orders.grant_redrive(operator)
    return stack


@pytest.fixture(scope="module")
def template(stack: Stack) -> Template:
    return Template.from_stack(stack)


def physical_names(template: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The type of each resource with each name that the template gives it."""
    keys = ("Name", "QueueName", "AlarmName", "DashboardName", "Family", "RegistryName", "DBClusterIdentifier", "LogGroupName")
    found = []
    for one in template["Resources"].values():
        kind, properties = one["Type"], one.get("Properties", {})
        named = [json.dumps(properties[key]) for key in keys if key in properties and kind not in NOT_NAMES]
        found += [(kind, name) for name in named if "Ref" not in name or "AWS::" in name]
    return found


def test_two_in_one_stack_share_no_physical_name(template: Template) -> None:
    """Nor a namespace of metrics: the alarms of one would see the metrics of the other."""
    names = physical_names(template.to_json())
    assert len(names) > 40
    assert [name for name, times in Counter(names).items() if times > 1] == []
    spaces = {
        name: one["Environment"]["Variables"]["FORWARDER_EMF_NAMESPACE"]
        for name, one in of_type(template, "AWS::Lambda::Function").items()
        if "FunctionsForwarder" in name
    }
    assert len(spaces) == len(set(spaces.values())) == 2


def test_name_is_made_of_stack_and_construct(template: Template) -> None:
    """In lower case, with a digest of the whole path."""
    names = [
        one["DashboardName"]["Fn::Join"][1][0].rstrip("-") for one in of_type(template, "AWS::CloudWatch::Dashboard").values()
    ]
    assert [name.rpartition("-")[0] for name in sorted(names)] == ["tailrace-acme-shop-orders", "tailrace-acme-shop-payments"]


def test_each_queue_feeds_its_own_forwarder_with_its_mappers(template: Template) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    mappers = {
        name[:6]: one["Environment"]["Variables"].get("FORWARDER_MAPPERS")
        for name, one in functions.items()
        if "Forwarder" in name
    }
    assert mappers == {"Orders": "acme.orders:MAPPERS", "Paymen": "events:MAPPERS"}
    for mapping in of_type(template, "AWS::Lambda::EventSourceMapping").values():
        [queue, _] = mapping["EventSourceArn"]["Fn::GetAtt"]
        assert queue[:6] == mapping["FunctionName"]["Ref"][:6]


def test_every_role_has_the_boundary_of_the_app(template: Template) -> None:
    roles = of_type(template, "AWS::IAM::Role")
    assert len(roles) > 15
    assert {role["PermissionsBoundary"] for role in roles.values()} == {BOUNDARY}


def test_resources_have_the_tags_of_the_app(template: Template) -> None:
    """All of the types that hold data or run code, and tasks by their service."""
    kinds = (
        "SQS::Queue",
        "DynamoDB::Table",
        "S3::Bucket",
        "Lambda::Function",
        "ECS::Service",
        "DocDB::DBCluster",
        "Logs::LogGroup",
    )
    for kind in kinds:
        found = of_type(template, f"AWS::{kind}")
        assert found
        assert [name for name, one in found.items() if {"Key": "team", "Value": "shop"} not in one["Tags"]] == [], kind
    assert {one["PropagateTags"] for one in of_type(template, "AWS::ECS::Service").values()} == {"SERVICE"}


def test_assets_go_to_the_bootstrap_of_the_app(stack: Stack, template: Template) -> None:
    """With its qualifier, and no account or region but the app's."""
    buckets = {one["Code"].get("S3Bucket") for one in of_type(template, "AWS::Lambda::Function").values()}
    assert buckets - {None} == {f"cdk-{QUALIFIER}-assets-111122223333-eu-central-1"}  # None: the code is in the template
    assert (stack.account, stack.region) == ("111122223333", "eu-central-1")


def test_redrive_is_granted_to_a_role_of_the_app(template: Template) -> None:
    """The role may invoke this one function, and receives no message itself."""
    policy = only(template, "AWS::IAM::Policy", "OperatorDefaultPolicy")["PolicyDocument"]["Statement"]
    [statement] = policy
    assert statement["Action"] == "lambda:InvokeFunction"
    assert all("OrdersFunctionsRedrive" in json.dumps(resource) for resource in statement["Resource"])


@pytest.mark.parametrize(
    ("arguments", "mistakes"),
    [
        ({"package": Path("forwarder.zip")}, ["mappers: the package does not say which mappers it has"]),
        ({"streams": streams("a", "a")}, ["streams: two streams have the same name"]),
        ({"mappers": "acme"}, ["forwarder.mappers: the value does not have the right form"]),
        (
            {"mappers": "acme:A", "forwarder": Forwarder(mappers="acme:B")},
            ["mappers: forwarder.mappers is set too: leave out one of them"],
        ),
        (
            {"key": "queue", "customer_key": True, "subnets": [], "dead_letter_queue": "queue"},
            [
                "key: it exists already, so customer_key would have no effect: leave that out, or key",
                "dead_letter_queue: it belongs to changes_queue: give that too",
                "subnets: it belongs to vpc or cluster: give that too",
            ],
        ),
        (
            {"log_group": "x", "tailer": Tailer(log_days=7)},
            ["log_group: it exists already, so tailer.log_days would have no effect"],
        ),
        ({"vpc": "x", "network": Network(zones=3)}, ["vpc: it exists already, so network would have no effect"]),
        (
            {"mongodb_secret": "x"},
            ["mongodb_secret: it belongs to tailer.mongodb_uri, database or docdb_cluster: set or give one"],
        ),
        ({"name": "Shop"}, ["name: the value does not have the right form"]),
    ],
)
def test_arguments_that_do_not_fit_are_named(package: Package, arguments: dict[str, Any], mistakes: list[str]) -> None:
    """All at once, before anything is made, with the construct that has them."""
    stack = Stack(App(), "stack")
    with pytest.raises(Misconfigured) as found:
        Tailrace(stack, "Shop", **{"package": package, **arguments})
    text = str(found.value)
    assert text.startswith("Tailrace stack/Shop: ")
    assert [mistake for mistake in mistakes if mistake not in text] == []
    assert len(text.splitlines()) == 1 + len(mistakes)


@pytest.mark.parametrize(
    ("fifo", "mistake"),
    [(False, "changes_queue: it is no FIFO queue"), (True, "changes_queue: its dead-letter queue is unknown")],
)
def test_queue_of_changes_needs_order_and_dead_letters(package: Package, fifo: bool, mistake: str) -> None:
    stack = Stack(App(), "stack")
    with pytest.raises(ValueError, match=mistake):
        Tailrace(stack, "Shop", package=package, changes_queue=sqs.Queue(stack, "Queue", fifo=fifo or None))


def test_key_of_an_existing_queue_may_be_used(package: Package, tmp_path: Path) -> None:
    """By the functions that receive its messages. The queue keeps its policy."""
    stack = Stack(unchecked(tmp_path), "stack")
    dead = sqs.Queue(stack, "Dead", fifo=True)
    letters = sqs.DeadLetterQueue(queue=dead, max_receive_count=1000)
    queue = sqs.Queue(stack, "Theirs", fifo=True, encryption_master_key=kms.Key(stack, "Key"), dead_letter_queue=letters)
    made = Tailrace(stack, "Shop", package=package, changes_queue=queue, bus=Bus(schemas=False))
    assert made.dead_letter_queue is dead
    policies = of_type(Template.from_stack(stack), "AWS::IAM::Policy")
    [forwarder] = [one for name, one in policies.items() if "ForwarderRole" in name]
    using = [one for one in forwarder["PolicyDocument"]["Statement"] if "kms:Decrypt" in one["Action"]]
    assert [one["Resource"]["Fn::GetAtt"][0][:3] for one in using] == ["Key"]
