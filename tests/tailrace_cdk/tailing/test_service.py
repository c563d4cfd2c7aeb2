"""The tailer's service: enough tasks, confined, started with settings that the tailer takes."""

import json
import re
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from infra.package import REPOSITORY
from tailer.settings.names import PREFIX
from tailer.settings.settings import Settings, load
from tailrace_cdk.config import Tailer
from tailrace_cdk.tailing.image import DOCKERFILE, Image
from tests.tailrace_cdk.template import (
    EXISTING_DATABASE,
    EXISTING_VPC,
    SECRET,
    container,
    of_type,
    only,
    stack,
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
    """With each instruction on one line."""
    return (REPOSITORY / DOCKERFILE).read_text().replace("\\\n", "")


def test_there_is_a_task_for_each_stream_and_the_standby_tasks() -> None:
    """Two streams and two standby tasks are four tasks."""
    streams = [{"name": name, "database": "payments"} for name in ("payments", "refunds")]
    assert only(stack(streams=streams, tailer={"standby_tasks": 2}), "AWS::ECS::Service")["DesiredCount"] == 4


def test_a_deployment_starts_new_tasks_before_it_stops_old_ones(template: Template) -> None:
    """Never fewer than wanted; a lease keeps two from tailing one stream. What does not come up is taken back."""
    deployment = only(template, "AWS::ECS::Service")["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_nobody_reaches_a_task(template: Template) -> None:
    """No public address, no rule that lets anybody in, no shell."""
    service = only(template, "AWS::ECS::Service")
    assert service["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"
    assert service["EnableExecuteCommand"] is False
    assert "SecurityGroupIngress" not in only(template, "AWS::EC2::SecurityGroup", "Service")
    into = [rule["GroupId"]["Fn::GetAtt"][0] for rule in of_type(template, "AWS::EC2::SecurityGroupIngress").values()]
    assert not [group for group in into if group.startswith("Service")]


def test_a_task_reaches_its_database_and_aws(template: Template) -> None:
    """By the ports they listen on, and no other."""
    inline = only(template, "AWS::EC2::SecurityGroup", "Service")["SecurityGroupEgress"]
    rules = of_type(template, "AWS::EC2::SecurityGroupEgress").values()
    own = [rule for rule in rules if rule["GroupId"]["Fn::GetAtt"][0].startswith("Service")]
    assert sorted(rule["FromPort"] for rule in [*inline, *own]) == [443, 27017]
    assert "DatabaseSecurityGroup" in own[0]["DestinationSecurityGroupId"]["Fn::GetAtt"][0]


def test_a_task_reaches_a_mongodb_elsewhere() -> None:
    """By the ports of its URI."""
    template = stack(**ELSEWHERE)
    rules = only(template, "AWS::EC2::SecurityGroup", "Service")["SecurityGroupEgress"]
    assert sorted(rule["FromPort"] for rule in rules) == [443, 27017, 27018]
    assert variables(template)["TAILER_MONGODB_URI"] == ELSEWHERE["tailer"]["mongodb_uri"]  # type: ignore[index]
    template.resource_count_is("Custom::ChangeStreams", 0)


@pytest.mark.parametrize("task", ["Service", "Enabling"])
def test_a_container_is_confined(template: Template, task: str) -> None:
    """It runs as the image's user, has no capability, writes to no file system and is started by an init process."""
    confined = container(template, task)
    assert confined["User"] == "10001:10001"
    assert confined["ReadonlyRootFilesystem"] is True
    assert confined["LinuxParameters"] == {"Capabilities": {"Drop": ["ALL"]}, "InitProcessEnabled": True}
    assert not confined.get("Privileged")
    assert confined["StopTimeout"] == 120


def test_the_user_is_the_images(template: Template, dockerfile: str) -> None:
    """Root in neither."""
    assert re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE) == [container(template)["User"]]


def test_the_health_check_is_the_images(template: Template, dockerfile: str) -> None:
    """ECS takes no notice of the image's own; two would grow apart."""
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


def test_the_tailer_starts_with_what_it_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its own loading takes every value, and they are those of the environment."""
    tailer = {"lease_seconds": 2.5, "scan_seconds": 7_200}
    tables = {"database": {**EXISTING_DATABASE, "history_seconds": 7_200}, "tailer": tailer}
    monkeypatch.chdir(tmp_path)
    for name, value in variables(stack(network=EXISTING_VPC, **tables)).items():
        # What is made with the stack has no name yet.
        text = (
            value if isinstance(value, str) else "dynamodb://table" if name == f"{PREFIX}CHECKPOINTS" else "https://queue.fifo"
        )
        monkeypatch.setenv(name, text)
    [payments] = load()
    assert (payments.stream, payments.database, payments.collections) == ("payments", "payments", ("payments",))
    assert (payments.history_seconds, payments.lease_seconds, payments.scan_seconds) == (7_200, 2.5, 7_200)
    assert payments.http_host == "127.0.0.1"


def test_no_secret_is_in_a_template() -> None:
    """User name and password are named, not said."""
    template = stack(network=EXISTING_VPC, database={**EXISTING_DATABASE, "authentication": "secret", "secret_arn": SECRET})
    assert {one["Name"] for one in container(template)["Secrets"]} == {
        "TAILER_MONGODB_USERNAME",
        "TAILER_MONGODB_PASSWORD",
    }
    assert "TAILER_MONGODB_PASSWORD" not in variables(template)


@pytest.mark.parametrize(("architecture", "cpu"), [("arm64", "ARM64"), ("x86_64", "X86_64")])
def test_a_task_runs_on_what_its_image_was_built_for(architecture: str, cpu: str) -> None:
    """An image for another architecture would not start."""
    template = stack(tailer={"architecture": architecture})
    assert only(template, "AWS::ECS::TaskDefinition", "Service")["RuntimePlatform"]["CpuArchitecture"] == cpu


def test_a_task_starts_after_all_that_it_needs(template: Template) -> None:
    """The rights of who starts it, the ways to AWS, the database, and change streams: nothing of it names the others."""
    [service] = template.find_resources("AWS::ECS::Service").values()
    kinds = {template.to_json()["Resources"][name]["Type"] for name in service["DependsOn"]}
    assert kinds >= {"AWS::IAM::Policy", "AWS::EC2::VPCEndpoint", "AWS::DocDB::DBInstance", "Custom::ChangeStreams"}


def test_only_ecs_for_this_account_is_the_tailer(template: Template) -> None:
    """The task's role can be taken by nobody else's task."""
    [trusted] = only(template, "AWS::IAM::Role", "ServiceTaskRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an image is built from, as it is handed to Docker."""
    folder = tmp_path_factory.mktemp("assembly")
    app = App(outdir=str(folder))
    Image(Stack(app, "Test"), "Image", tailer=Tailer())
    app.synth()
    [asset] = folder.glob("asset.*")
    return asset


def test_an_image_is_made_of_what_the_dockerfile_copies(staged: Path, dockerfile: str) -> None:
    """And of nothing else: a change of the forwarder is no new image of the tailer."""
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
def test_an_image_by_its_digest_is_pulled_from_where_it_is(image: str, repository: str) -> None:
    """The right to pull it is for its repository only; another registry asks for none."""
    template = stack(tailer={"image": image}, network={"egress": "nat"})
    assert container(template)["Image"] == image
    statements = only(template, "AWS::IAM::Policy", "ServiceTaskExecutionRole")["PolicyDocument"]["Statement"]
    pulls = [one["Resource"]["Fn::Join"][1][-1] for one in statements if "ecr:BatchGetImage" in one["Action"]]
    assert pulls == ([repository] if repository else [])
