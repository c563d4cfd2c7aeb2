"""The tailer's service has enough tasks, confined containers, and valid settings."""

import json
import re
from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template

from infra.package import REPOSITORY
from tailer.settings.names import PREFIX
from tailer.settings.settings import Settings, load
from tailrace_cdk.config import Tailer
from tailrace_cdk.tailing.image import Image
from tailrace_cdk.tailing.image_context import DOCKERFILE
from tests.tailrace_cdk.template import (
    EXISTING_DATABASE,
    EXISTING_VPC,
    SECRET,
    container,
    of_type,
    only,
    stack,
    unchecked,
    variables,
)

DIGEST = "sha256:" + "0" * 64
ELSEWHERE = {
    "database": None,
    "network": {"egress": "nat"},
    "tailer": {"mongodb_uri": "mongodb://a.example:27018,b.example/?replicaSet=rs0"},
}
SECONDS = re.compile(r"(\d+)s")


@pytest.fixture(scope="module")
def template() -> Template:
    return stack()


@pytest.fixture(scope="module")
def dockerfile() -> str:
    """The Dockerfile with each instruction on one line."""
    return (REPOSITORY / DOCKERFILE).read_text().replace("\\\n", "")


def test_service_has_a_task_per_stream_and_the_standby_tasks() -> None:
    streams = [{"name": name, "database": "payments"} for name in ("payments", "refunds")]
    assert only(stack(streams=streams, tailer={"standby_tasks": 2}), "AWS::ECS::Service")["DesiredCount"] == 4


def test_deployment_starts_new_tasks_before_it_stops_old_ones(template: Template) -> None:
    """A lease keeps two tasks from tailing one stream. A failed deployment is rolled back."""
    deployment = only(template, "AWS::ECS::Service")["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_task_accepts_no_connections(template: Template) -> None:
    """No public address, no inbound rule, no shell."""
    service = only(template, "AWS::ECS::Service")
    assert service["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"
    assert service["EnableExecuteCommand"] is False
    assert "SecurityGroupIngress" not in only(template, "AWS::EC2::SecurityGroup", "Service")
    into = [rule["GroupId"]["Fn::GetAtt"][0] for rule in of_type(template, "AWS::EC2::SecurityGroupIngress").values()]
    assert not [group for group in into if group.startswith("Service")]


def test_task_connects_only_to_its_database_and_aws(template: Template) -> None:
    """By port."""
    inline = only(template, "AWS::EC2::SecurityGroup", "Service")["SecurityGroupEgress"]
    rules = of_type(template, "AWS::EC2::SecurityGroupEgress").values()
    own = [rule for rule in rules if rule["GroupId"]["Fn::GetAtt"][0].startswith("Service")]
    assert sorted(rule["FromPort"] for rule in [*inline, *own]) == [443, 27017]
    assert "DatabaseSecurityGroup" in own[0]["DestinationSecurityGroupId"]["Fn::GetAtt"][0]


def test_task_connects_to_a_mongodb_elsewhere() -> None:
    """By the ports of its URI."""
    template = stack(**ELSEWHERE)
    rules = only(template, "AWS::EC2::SecurityGroup", "Service")["SecurityGroupEgress"]
    assert sorted(rule["FromPort"] for rule in rules) == [443, 27017, 27018]
    assert variables(template)["TAILER_MONGODB_URI"] == ELSEWHERE["tailer"]["mongodb_uri"]  # type: ignore[index]
    template.resource_count_is("Custom::ChangeStreams", 0)


@pytest.mark.parametrize("task", ["Service", "Enabling"])
def test_container_is_confined(template: Template, task: str) -> None:
    """A user of its own, no capability, a read-only file system and an init process."""
    confined = container(template, task)
    assert confined["User"] == "10001:10001"
    assert confined["ReadonlyRootFilesystem"] is True
    assert confined["LinuxParameters"] == {"Capabilities": {"Drop": ["ALL"]}, "InitProcessEnabled": True}
    assert not confined.get("Privileged")
    assert confined["StopTimeout"] == 120


def test_user_is_that_of_the_image(template: Template, dockerfile: str) -> None:
    assert re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE) == [container(template)["User"]]


def test_health_check_is_that_of_the_image(template: Template, dockerfile: str) -> None:
    """ECS ignores the image's own."""
    [(options, command)] = re.findall(r"^HEALTHCHECK (.*) CMD (\[.*\])$", dockerfile, re.MULTILINE)
    said = dict(option.removeprefix("--").split("=") for option in options.split())
    assert container(template)["HealthCheck"] == {
        "Command": ["CMD", *json.loads(command)],
        "Interval": _seconds(said["interval"]),
        "Timeout": _seconds(said["timeout"]),
        "StartPeriod": _seconds(said["start-period"]),
        "Retries": int(said["retries"]),
    }


def _seconds(text: str) -> int:
    found = SECONDS.fullmatch(text)
    assert found, text
    return int(found[1])


@pytest.mark.parametrize("task", ["Service", "Enabling"])
def test_every_variable_is_a_setting_of_the_tailer(template: Template, task: str) -> None:
    """A misspelt one would be ignored."""
    secrets = [one["Name"] for one in container(template, task).get("Secrets", ())]
    named = [name.removeprefix(PREFIX).lower() for name in (*variables(template, task), *secrets) if name.startswith(PREFIX)]
    assert set(named) - Settings.model_fields.keys() == set()


def test_tailer_loads_its_settings_from_the_template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the values of the environment."""
    tailer = {"lease_seconds": 2.5, "scan_seconds": 7_200}
    tables = {"database": {**EXISTING_DATABASE, "history_seconds": 7_200}, "tailer": tailer}
    monkeypatch.chdir(tmp_path)
    for name, value in variables(stack(network=EXISTING_VPC, **tables)).items():
        # A resource of the stack has no name yet.
        text = (
            value if isinstance(value, str) else "dynamodb://table" if name == f"{PREFIX}CHECKPOINTS" else "https://queue.fifo"
        )
        monkeypatch.setenv(name, text)
    [payments] = load()
    assert (payments.stream, payments.database, payments.collections) == ("payments", "payments", ("payments",))
    assert (payments.history_seconds, payments.lease_seconds, payments.scan_seconds) == (7_200, 2.5, 7_200)
    assert payments.http_host == "127.0.0.1"


def test_no_secret_is_in_a_template() -> None:
    template = stack(network=EXISTING_VPC, database={**EXISTING_DATABASE, "authentication": "secret", "secret_arn": SECRET})
    assert {one["Name"] for one in container(template)["Secrets"]} == {
        "TAILER_MONGODB_USERNAME",
        "TAILER_MONGODB_PASSWORD",
    }
    assert "TAILER_MONGODB_PASSWORD" not in variables(template)


@pytest.mark.parametrize(("architecture", "cpu"), [("arm64", "ARM64"), ("x86_64", "X86_64")])
def test_task_runs_on_the_architecture_of_its_image(architecture: str, cpu: str) -> None:
    template = stack(tailer={"architecture": architecture})
    assert only(template, "AWS::ECS::TaskDefinition", "Service")["RuntimePlatform"]["CpuArchitecture"] == cpu


def test_task_starts_after_everything_that_it_needs(template: Template) -> None:
    """The rights of its execution role, the network, the database, and change streams."""
    [service] = template.find_resources("AWS::ECS::Service").values()
    kinds = {template.to_json()["Resources"][name]["Type"] for name in service["DependsOn"]}
    assert kinds >= {"AWS::IAM::Policy", "AWS::EC2::VPCEndpoint", "AWS::DocDB::DBInstance", "Custom::ChangeStreams"}


def test_only_ecs_of_this_account_may_assume_the_tasks_role(template: Template) -> None:
    [trusted] = only(template, "AWS::IAM::Role", "ServiceTaskRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build context of the image as it is sent to Docker."""
    folder = tmp_path_factory.mktemp("assembly")
    app = unchecked(folder)
    Image(Stack(app, "Test"), "Image", tailer=Tailer())
    app.synth()
    [asset] = folder.glob("asset.*")
    return asset


def test_build_context_is_exactly_what_the_dockerfile_copies(staged: Path, dockerfile: str) -> None:
    """A change of the forwarder is no new image of the tailer."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    copied = {Path(source) for line in lines for source in line.split()}
    files = {path.relative_to(staged) for path in staged.rglob("*") if path.is_file()} - {Path(".dockerignore")}
    assert Path(DOCKERFILE) in files
    assert {file for file in files if not copied & {file, *file.parents}} == set()
    assert {source for source in copied if not (staged / source).exists()} == set()
    assert not [file for file in files if "__pycache__" in file.parts]


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        (
            f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/tailer@{DIGEST}",
            ":ecr:eu-west-1:111122223333:repository/team/tailer",
        ),
        (f"registry.example/tailer@{DIGEST}", ""),
    ],
    ids=["ecr", "another"],
)
def test_image_by_digest_is_pulled_from_its_repository(image: str, repository: str) -> None:
    """With a right for that repository only. Another registry needs none."""
    template = stack(tailer={"image": image}, network={"egress": "nat"})
    assert container(template)["Image"] == image
    statements = only(template, "AWS::IAM::Policy", "ServiceTaskExecutionRole")["PolicyDocument"]["Statement"]
    pulls = [one["Resource"]["Fn::Join"][1][-1] for one in statements if "ecr:BatchGetImage" in one["Action"]]
    assert pulls == ([repository] if repository else [])
