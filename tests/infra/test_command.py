"""``python -P -m infra`` as a person runs it, and the CDK's command line behind it."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

import infra.account
from devstack.aws import ACCOUNT, REGION, Aws
from devstack.emulator import Emulator
from devstack.workspace import Workspace
from infra import cdk
from infra.__main__ import main
from infra.environment_files import there
from infra.supply.command_line import NotInstalled, environment
from tests.tailrace_cdk.deployment import without


def test_it_says_in_short_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Resources by type, grants, findings, where the template is; and the zip in it is the forwarder's."""
    (tmp_path / "mine.toml").write_text("")
    assert main(["--environment", str(tmp_path / "mine.toml"), "--output", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    template = tmp_path / "out" / "tailrace-mine.template.json"
    resources = json.loads(template.read_text())["Resources"]
    assert said.startswith(f"tailrace-mine: {len(resources)} resources\n")
    assert "3 SQS::Queue" in said
    assert "cdk-nag    0 findings" in said
    assert str(template) in said
    assert said.endswith("cfn-lint   0 findings\n")
    assert [asset for asset in (tmp_path / "out").glob("asset.*.zip") if asset.stat().st_size > 1_000_000]


def test_what_is_wrong_with_an_environment_is_said_and_nothing_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and every setting by name."""
    (tmp_path / "mine.toml").write_text("removel = 1")
    assert main(["--environment", str(tmp_path / "mine.toml"), "--output", str(tmp_path / "out")]) == 2
    assert "a key is not a setting; did you mean removal?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_environment_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that are."""
    assert main(["--environment", "nowhere"]) == 2
    assert f"There is no environment nowhere. Name one of {there()}" in capsys.readouterr().err


@pytest.mark.parametrize("subcommand", ["deploy", "diff", "destroy"])
def test_a_subcommand_needs_an_environment(subcommand: str, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no default: a wrong one would be a second stack in production's account."""
    assert cdk.main([subcommand]) == 2
    assert cdk.main(["--environment", "", subcommand]) == 2
    said = f"Name the environment: make {subcommand} ENVIRONMENT=mine. Environments: {there()}.\n"
    assert capsys.readouterr().err == said + said


@pytest.mark.parametrize(
    "subcommand", [["bootstrap"], ["--environment", "trial", "deploy"], ["--environment", "trial", "diff"]]
)
@pytest.mark.parametrize(
    "missing",
    [{"AWS_REGION"}, {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, set()],
    ids=["region", "credentials", "response"],
)
def test_without_an_account_nothing_is_begun(
    subcommand: list[str],
    missing: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Before a template is made, the error says what the shell needs."""
    shell = {
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",  # nothing listens there
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }
    for name in (name for name in list(os.environ) if name.startswith("AWS_")):
        monkeypatch.delenv(name)
    for name in shell.keys() - missing:
        monkeypatch.setenv(name, shell[name])
    assert cdk.main(subcommand) == 2
    said = capsys.readouterr()
    assert said.err.startswith("This shell has no working AWS credentials: ")
    assert said.out == ""


def test_the_cdk_runs_on_the_node_of_the_lock(tmp_path: Path) -> None:
    """Its own Node.js is there, is no other that a machine may have, and runs the command line of the lock."""
    try:
        node, program, *arguments = cdk.command(tmp_path, ["deploy", "--quiet"])
    except NotInstalled as error:
        pytest.skip(str(error))
    assert node == os.environ["JSII_NODE"]
    assert Path(node).is_file()
    assert Path(program).is_relative_to(sys.prefix)
    assert arguments == ["deploy", "--quiet", "--app", str(tmp_path)]
    assert environment()["PATH"].split(os.pathsep)[0] == str(Path(node).parent)


@pytest.fixture
def account(services: None) -> Iterator[Aws]:
    """An account that nobody has prepared for the CDK."""
    with Workspace() as workspace:
        emulator = Emulator(workspace)
        emulator.start()
        emulator.wait_ready()
        aws = Aws(emulator.endpoint_url, emulator.key)
        yield aws
        aws.close()


def test_the_account_is_the_one_that_aws_says(account: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the region that the CDK would take."""
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert infra.account.account() == f"aws://{ACCOUNT}/eu-north-1"
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert infra.account.account() == f"aws://{ACCOUNT}/{REGION}"


def without_bus_policies(arguments: Sequence[str]) -> int:
    """Synthesise, and leave out what the emulator's CloudFormation has not and every stack has."""
    code = main(arguments)
    for file in Path(arguments[-1]).glob("*.template.json"):
        file.write_text(json.dumps(without(json.loads(file.read_text()), {"AWS::Events::EventBusPolicy"})))
    return code


def test_the_cdks_command_line_deploys_what_was_synthesised(
    account: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Bootstrap, deploy, no difference left, destroy: the pinned command line reads our template, in the emulator's account."""
    for name, value in {**account.environment, "AWS_REGION": REGION, "npm_config_offline": "true"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cdk, "REPOSITORY", tmp_path)
    monkeypatch.setattr(cdk, "synthesis", SimpleNamespace(main=without_bus_policies))
    if cdk.main(["--version"]):
        pytest.skip("needs the CDK's command line in this environment: python -P -m infra.cdk --version installs it")
    file = tmp_path / "cdk.toml"  # less what the emulator's CloudFormation has not
    file.write_text('removal = "destroy"\n[bus]\nschemas = false\narchive_days = 0')
    assert cdk.main(["bootstrap"]) == 0, capfd.readouterr()
    assert f"aws://{ACCOUNT}/{REGION} bootstrapped" in "".join(capfd.readouterr())  # as output where CI is set
    for subcommand in (["deploy", "--require-approval", "never"], ["diff", "--fail"], ["destroy", "--force"]):
        assert cdk.main(["--environment", str(file), *subcommand]) == 0, capfd.readouterr()
    with pytest.raises(ClientError, match="does not exist"):
        account("cloudformation").describe_stacks(StackName="tailrace-cdk")
