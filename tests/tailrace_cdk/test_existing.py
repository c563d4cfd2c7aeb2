"""Each part that an app has already takes the place of Tailrace's own, and the roles get their rights on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Stack, Stage
from aws_cdk import aws_docdb as docdb
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template
from aws_cdk.cx_api import SynthesisMessageLevel
from constructs import Construct

from infra.statements import statements
from tailrace_cdk import Tailrace
from tailrace_cdk.config import Bus, Database, Network, Stream, Tailer
from tailrace_cdk.synthesis.synthesis import CONTEXT
from tests.tailrace_cdk.package import package as package_of
from tests.tailrace_cdk.template import container, of_type, only, unchecked, variables

ACCOUNT, REGION = "111122223333", "eu-west-1"
HOST = "theirs.cluster-c1.eu-west-1.docdb.amazonaws.com"
STREAMS = (Stream(name="orders", database="shop", collections=("orders",)),)
FORWARDER, REDRIVE = "Shop/Functions/ForwarderRole", "Shop/Functions/RedriveRole"
TAILER, START, ENABLE = "Shop/Service/Task/Role", "Shop/Service/Task/ExecutionRole", "Shop/Enabling/Task/ExecutionRole"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
BUCKET = "arn:aws:s3:::theirs"
SECRET = arn("secretsmanager", "secret:theirs-AbCdEf")


@dataclass(frozen=True, kw_only=True)
class Part:
    """
    A part that exists already. ``give`` returns it as arguments of ``Tailrace``, with the settings that it needs.

    ``kinds`` are the types of which the template has no resource. ``rights`` are role, action and resource.
    """

    give: Callable[[Construct], dict[str, Any]]
    kinds: tuple[str, ...]
    rights: tuple[tuple[str, str, str], ...] = ()


def elsewhere(**more: Any) -> dict[str, Any]:
    """A MongoDB elsewhere, in a network of the stack."""
    return {"tailer": Tailer(mongodb_uri="mongodb://one:27018/?tls=true"), "network": Network(egress="nat"), **more}


def theirs_vpc(scope: Construct) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id="vpc-0a1b2c3d",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        private_subnet_ids=["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
    )


def theirs_group(scope: Construct) -> ec2.ISecurityGroup:
    return ec2.SecurityGroup.from_security_group_id(scope, "Group", "sg-0a1b2c3d", allow_all_outbound=False)


def in_their_vpc(scope: Construct, **more: Any) -> dict[str, Any]:
    return {"tailer": Tailer(mongodb_uri="mongodb://one:27018/?tls=true"), "vpc": theirs_vpc(scope), **more}


def in_their_cluster(scope: Construct) -> dict[str, Any]:
    cluster = ecs.Cluster.from_cluster_attributes(scope, "Cluster", cluster_name="theirs", vpc=theirs_vpc(scope))
    return {"tailer": Tailer(mongodb_uri="mongodb://one:27018/?tls=true"), "cluster": cluster}


def their_documentdb(scope: Construct) -> dict[str, Any]:
    cluster = docdb.DatabaseCluster.from_database_cluster_attributes(
        scope,
        "Cluster",
        cluster_identifier="theirs",
        cluster_endpoint_address=HOST,
        instance_endpoint_addresses=[HOST],
        instance_identifiers=["one"],
        reader_endpoint_address=HOST,
        port=27018,
        security_group=theirs_group(scope),
    )
    secret = secretsmanager.Secret.from_secret_complete_arn(scope, "Administrator", SECRET)
    return {"docdb_cluster": cluster, "admin_secret": secret, "database": Database(history_seconds=7_200)}


PARTS: Mapping[str, Part] = {
    "key": Part(
        give=lambda scope: elsewhere(key=kms.Key.from_key_arn(scope, "Key", arn("kms", f"key/{KEY}"))),
        kinds=("AWS::KMS::Key",),
        rights=tuple((role, "kms:GenerateDataKey", arn("kms", f"key/{KEY}")) for role in (FORWARDER, REDRIVE, TAILER)),
    ),
    "changes_queue": Part(
        give=lambda scope: elsewhere(
            changes_queue=sqs.Queue.from_queue_arn(scope, "Changes", arn("sqs", "theirs.fifo")),
            dead_letter_queue=sqs.Queue.from_queue_arn(scope, "Dead", arn("sqs", "dead.fifo")),
        ),
        kinds=("AWS::SQS::Queue Changes", "AWS::SQS::Queue DeadLetters"),
        rights=(
            (TAILER, "sqs:SendMessage", arn("sqs", "theirs.fifo")),
            (FORWARDER, "sqs:ReceiveMessage", arn("sqs", "theirs.fifo")),
            (REDRIVE, "sqs:ReceiveMessage", arn("sqs", "dead.fifo")),
        ),
    ),
    "table": Part(
        give=lambda scope: elsewhere(table=dynamodb.Table.from_table_arn(scope, "Table", arn("dynamodb", "table/theirs"))),
        kinds=("AWS::DynamoDB::Table",),
        rights=(
            (TAILER, "dynamodb:PutItem", arn("dynamodb", "table/theirs")),
            (FORWARDER, "dynamodb:UpdateItem", arn("dynamodb", "table/theirs")),
        ),
    ),
    "claim_bucket": Part(
        give=lambda scope: elsewhere(claim_bucket=s3.Bucket.from_bucket_arn(scope, "Bucket", BUCKET)),
        kinds=("AWS::S3::Bucket", "AWS::S3::BucketPolicy"),
        rights=(
            (TAILER, "s3:PutObject", f"{BUCKET}/orders/*"),
            (FORWARDER, "s3:GetObject", f"{BUCKET}/orders/*"),
            (FORWARDER, "s3:PutObject", f"{BUCKET}/events/*"),
        ),
    ),
    "bus": Part(
        give=lambda scope: elsewhere(bus=events.EventBus.from_event_bus_arn(scope, "Bus", arn("events", "event-bus/theirs"))),
        kinds=("AWS::Events::EventBus", "AWS::Events::Archive", "AWS::Events::EventBusPolicy"),
        rights=tuple((role, "events:PutEvents", arn("events", "event-bus/theirs")) for role in (FORWARDER, REDRIVE)),
    ),
    "log_group": Part(
        give=lambda scope: in_their_vpc(
            scope, log_group=logs.LogGroup.from_log_group_arn(scope, "Log", arn("logs", "log-group:theirs"))
        ),
        kinds=("AWS::Logs::LogGroup",),
        rights=tuple((role, "logs:PutLogEvents", arn("logs", "log-group:theirs:*")) for role in (FORWARDER, REDRIVE, START)),
    ),
    "alarm_topic": Part(
        give=lambda scope: elsewhere(alarm_topic=sns.Topic.from_topic_arn(scope, "Topic", arn("sns", "theirs"))),
        kinds=("AWS::SNS::Topic", "AWS::SNS::TopicPolicy"),
    ),
    "vpc": Part(
        give=in_their_vpc,
        kinds=("AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::NatGateway", "AWS::EC2::FlowLog", "AWS::EC2::VPCEndpoint"),
    ),
    "security_groups": Part(
        give=lambda scope: in_their_vpc(scope, security_groups=[theirs_group(scope)]), kinds=("AWS::EC2::SecurityGroup",)
    ),
    "cluster": Part(give=in_their_cluster, kinds=("AWS::ECS::Cluster", "AWS::EC2::VPC")),
    "docdb_cluster": Part(
        give=their_documentdb,
        kinds=("AWS::DocDB::DBCluster", "AWS::DocDB::DBInstance"),
        rights=((ENABLE, "secretsmanager:GetSecretValue", SECRET),),
    ),
    "mongodb_secret": Part(
        give=lambda scope: elsewhere(
            mongodb_secret=secretsmanager.Secret.from_secret_complete_arn(scope, "Reader", SECRET),
        ),
        kinds=("AWS::SecretsManager::Secret",),
        rights=((START, "secretsmanager:GetSecretValue", SECRET),),
    ),
    "image": Part(give=lambda scope: elsewhere(image=CfnParameter(scope, "Image").value_as_string), kinds=()),
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Stack]:
    """One stack for each existing part, and one without any. They are synthesised together, once."""
    folder = tmp_path_factory.mktemp("existing")
    package = package_of(folder)
    app = App(outdir=str(folder / "cdk.out"), context=CONTEXT)
    found = {}
    for name, give in {"none": lambda _: elsewhere(), **{name: part.give for name, part in PARTS.items()}}.items():
        stack = found[name] = Stack(app, name.replace("_", "-"))
        Tailrace(stack, "Shop", package=package, streams=STREAMS, **give(stack))
    return found


@pytest.fixture(scope="module")
def templates(stacks: Mapping[str, Stack]) -> Mapping[str, Template]:
    return {name: Template.from_stack(stack) for name, stack in stacks.items()}


def kinds(template: Template) -> set[str]:
    """The types of the resources, and each type with the last words of its logical id."""
    resources = template.to_json()["Resources"]
    types = {one["Type"] for one in resources.values()}
    queues = (name for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue")
    return types | {f"AWS::SQS::Queue {part}" for name in queues for part in ("Changes", "DeadLetters") if part in name}


@pytest.mark.parametrize("name", PARTS)
def test_existing_part_replaces_the_own_one(templates: Mapping[str, Template], name: str) -> None:
    assert not kinds(templates[name]) & set(PARTS[name].kinds)


def test_without_existing_parts_each_is_made(templates: Mapping[str, Template]) -> None:
    """So the test above can fail: all types but those of options that are not set are in this template."""
    replaced = {kind for part in PARTS.values() for kind in part.kinds}
    optional = {"AWS::KMS::Key", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SecretsManager::Secret"}
    other = {"AWS::DocDB::DBCluster", "AWS::DocDB::DBInstance"}  # instead of a MongoDB elsewhere
    assert replaced - kinds(templates["none"]) == optional | other


@pytest.mark.parametrize("name", [name for name, part in PARTS.items() if part.rights])
def test_roles_have_their_rights_on_an_existing_part(templates: Mapping[str, Template], name: str) -> None:
    """In their own policies. Every resource of a right is named, as for a part of Tailrace's own."""
    found = [one for one in statements(templates[name].to_json()) if one.allowed and not one.own]
    rights = {(one.who, action, resource) for one in found for action in one.actions for resource in one.resources}
    assert set(PARTS[name].rights) <= rights
    undivided = {"ecr:GetAuthorizationToken", "lambda:ListEventSourceMappings"}
    assert {action for _, action, resource in rights if resource == "*"} <= undivided


def test_functions_and_tasks_are_configured_with_the_existing_parts(templates: Mapping[str, Template]) -> None:
    def setting(part: str, name: str) -> Any:
        return only(templates[part], "AWS::Lambda::Function", "FunctionsForwarder")["Environment"]["Variables"][name]

    assert setting("bus", "FORWARDER_EVENT_BUS") == arn("events", "event-bus/theirs")
    assert setting("table", "FORWARDER_WATERMARKS") == "theirs"
    assert setting("claim_bucket", "FORWARDER_CLAIM_BUCKET") == "theirs"
    assert variables(templates["table"])["TAILER_CHECKPOINTS"] == "dynamodb://theirs"
    assert variables(templates["docdb_cluster"])["TAILER_MONGODB_URI"].startswith(f"mongodb://{HOST}:27018/?")
    assert variables(templates["docdb_cluster"])["TAILER_HISTORY_SECONDS"] == "7200"
    mapping = only(templates["changes_queue"], "AWS::Lambda::EventSourceMapping")
    assert mapping["EventSourceArn"] == arn("sqs", "theirs.fifo")
    service = only(templates["cluster"], "AWS::ECS::Service")
    assert service["Cluster"] == "theirs"
    assert service["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"] == ["subnet-0a1b2c3d", "subnet-1a1b2c3d"]
    assert container(templates["image"])["Image"] == {"Ref": "Image"}


def test_existing_groups_get_the_rules_of_the_tasks(templates: Mapping[str, Template]) -> None:
    """Egress for the group of the tasks, ingress for the group of the database."""
    egress = of_type(templates["security_groups"], "AWS::EC2::SecurityGroupEgress").values()
    assert {(one["GroupId"], one["FromPort"]) for one in egress} == {("sg-0a1b2c3d", 443), ("sg-0a1b2c3d", 27018)}
    [ingress] = [
        one
        for one in of_type(templates["docdb_cluster"], "AWS::EC2::SecurityGroupIngress").values()
        if one["FromPort"] == 27018
    ]
    assert ingress["GroupId"] == "sg-0a1b2c3d"


def test_every_alarm_notifies_the_existing_topic(templates: Mapping[str, Template]) -> None:
    alarms = of_type(templates["alarm_topic"], "AWS::CloudWatch::Alarm").values()
    assert {tuple(alarm["AlarmActions"]) for alarm in alarms} == {(arn("sns", "theirs"),)}


def test_bucket_is_open_to_the_account_of_an_existing_bus(templates: Mapping[str, Template]) -> None:
    """For events that are too large for the bus, and for nothing else."""
    found = [one for one in statements(templates["bus"].to_json()) if one.allowed and ACCOUNT in one.who]
    assert [(one.actions, one.resources) for one in found] == [(("s3:GetObject",), ("Shop/State/Claims/events/*",))]


def warnings(stack: Stack) -> list[str]:
    """The warnings of synthesis, which is done once for all stacks of an app. (``Annotations`` repeats it each time.)"""
    stage = Stage.of(stack)
    assert stage
    messages = stage.synth().get_stack_artifact(stack.artifact_id).messages
    return [str(one.entry.data) for one in messages if one.level is SynthesisMessageLevel.WARNING]


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("key", "Add the statements EncryptLogs, EncryptAlarmNotices, LookAtTheKeyOfABus"),
        ("key", "the policies of imported keys"),
        ("bus", f"is in account {ACCOUNT}. If the stack is in another account, the policy of the bus must allow"),
    ],
)
def test_right_that_only_an_owner_can_give_is_named(stacks: Mapping[str, Stack], part: str, text: str) -> None:
    """In a warning of synthesis."""
    assert [one for one in warnings(stacks[part]) if text in one]


def test_no_warning_without_need(stacks: Mapping[str, Stack]) -> None:
    for name in stacks.keys() - {"key", "bus"}:
        assert not [one for one in warnings(stacks[name]) if "tailrace" in one]


def test_key_of_the_app_gets_the_statements(tmp_path: Path) -> None:
    """In its policy, which the app's own statements stay in."""
    stack = Stack(unchecked(tmp_path / "cdk.out"), "stack")
    key = kms.Key(stack, "Theirs")
    Tailrace(stack, "Shop", package=package_of(tmp_path), key=key, bus=Bus(schemas=False))
    policy = only(Template.from_stack(stack), "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    names = {one.get("Sid") for one in policy}
    assert {"EncryptLogs", "EncryptTheBusAndItsArchive", None} <= names
    assert warnings(stack) == []


def test_every_part_may_be_of_another_stack_of_the_app(tmp_path: Path) -> None:
    """The other stack needs nothing of ours: otherwise neither could be deployed first. It gets no statement and no rule."""
    app = App(outdir=str(tmp_path / "cdk.out"), context=CONTEXT)
    data, ours = Stack(app, "data"), Stack(app, "ours")
    vpc = ec2.Vpc(data, "Vpc", max_azs=2)
    key = kms.Key(data, "Key")
    dead = sqs.Queue(data, "Dead", fifo=True, encryption_master_key=key)
    letters = sqs.DeadLetterQueue(queue=dead, max_receive_count=1000)
    pk = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
    made = Tailrace(
        ours,
        "Shop",
        package=package_of(tmp_path),
        streams=STREAMS,
        vpc=vpc,
        cluster=ecs.Cluster(data, "Cluster", vpc=vpc),
        docdb_cluster=docdb.DatabaseCluster(
            data,
            "Database",
            vpc=vpc,
            instance_type=ec2.InstanceType("r6g.large"),
            master_user=docdb.Login(username="root"),
        ),
        mongodb_secret=secretsmanager.Secret(data, "Reader", encryption_key=key),
        changes_queue=sqs.Queue(data, "Changes", fifo=True, dead_letter_queue=letters, encryption_master_key=key),
        table=dynamodb.Table(data, "Table", partition_key=pk, encryption_key=key),
        claim_bucket=s3.Bucket(data, "Bucket", encryption_key=key),
        bus=events.EventBus(data, "Bus"),
        log_group=logs.LogGroup(data, "Log"),
        alarm_topic=sns.Topic(data, "Topic", master_key=key),
    )
    app.synth()
    assert ours in data.dependencies or data in ours.dependencies
    assert ours not in data.dependencies
    assert made.dead_letter_queue is dead
    assert not of_type(Template.from_stack(data), "AWS::EC2::SecurityGroupIngress")
    assert of_type(Template.from_stack(ours), "AWS::EC2::SecurityGroupIngress")
