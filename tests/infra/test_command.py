"""``python -P -m infra`` as a person runs it, and the CDK's command line."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

import infra.account
from infra import cdk
from infra.__main__ import main
from infra.environment_files import there
from infra.supply.command_line import NotInstalled, environment
from tailrace.dev.aws import ACCOUNT, REGION, Aws
from tailrace.dev.emulator import Emulator
from tailrace.dev.workspace import Workspace
from tests.tailrace_cdk.deployment import without


def test_synthesis_prints_a_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Resources by type, grants, findings, and the template's path. The zip in it is the forwarder's."""
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


def test_invalid_environment_is_reported_and_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 2 and the name of every setting."""
    (tmp_path / "mine.toml").write_text("removel = 1")
    assert main(["--environment", str(tmp_path / "mine.toml"), "--output", str(tmp_path / "out")]) == 2
    assert "a key is not a setting; did you mean removal?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_missing_environment_lists_the_existing_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--environment", "nowhere"]) == 2
    assert f"There is no environment nowhere. Name one of {there()}" in capsys.readouterr().err


@pytest.mark.parametrize("subcommand", ["deploy", "diff", "destroy"])
def test_subcommand_needs_an_environment(subcommand: str, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no default: a wrong one would create a second stack in the production account."""
    assert cdk.main([subcommand]) == 2
    assert cdk.main(["--environment", "", subcommand]) == 2
    said = f"infra.cdk: Name the environment: make {subcommand} ENVIRONMENT=mine. Environments: {there()}.\n"
    assert capsys.readouterr().err == said + said


@pytest.mark.parametrize(
    "subcommand", [["bootstrap"], ["--environment", "trial", "deploy"], ["--environment", "trial", "diff"]]
)
@pytest.mark.parametrize(
    "missing",
    [{"AWS_REGION"}, {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, set()],
    ids=["region", "credentials", "response"],
)
def test_nothing_starts_without_an_account(
    subcommand: list[str],
    missing: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """The error says what the shell needs, before a template is made."""
    shell = {
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",  # a port without a listener
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
    assert said.err.startswith("infra.cdk: This shell has no working AWS credentials: ")
    assert said.out == ""


def test_cdk_runs_on_the_locked_node(tmp_path: Path) -> None:
    """And runs the locked command line."""
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
    """An account without the CDK's bootstrap."""
    with Workspace() as workspace:
        emulator = Emulator(workspace)
        emulator.start()
        emulator.wait_ready()
        aws = Aws(emulator.endpoint_url, emulator.key)
        yield aws
        aws.close()


def test_account_and_region_are_those_of_aws(account: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the CDK determines them."""
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert infra.account.account() == f"aws://{ACCOUNT}/eu-north-1"
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert infra.account.account() == f"aws://{ACCOUNT}/{REGION}"


def synthesise_without_bus_policies(arguments: Sequence[str]) -> int:
    """Synthesise without the resources of every stack that the emulator's CloudFormation does not support."""
    code = main(arguments)
    for file in Path(arguments[-1]).glob("*.template.json"):
        file.write_text(json.dumps(without(json.loads(file.read_text()), {"AWS::Events::EventBusPolicy"})))
    return code


def test_cdk_command_line_deploys_the_template(
    account: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Bootstrap, deploy, an empty diff and destroy, in the emulator's account."""
    for name, value in {**account.environment, "AWS_REGION": REGION, "npm_config_offline": "true"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cdk, "REPOSITORY", tmp_path)
    monkeypatch.setattr(cdk, "synthesis", SimpleNamespace(main=synthesise_without_bus_policies))
    if cdk.main(["--version"]):
        pytest.skip("needs the CDK's command line in this environment: python -P -m infra.cdk --version installs it")
    file = tmp_path / "cdk.toml"  # without the resources that the emulator's CloudFormation does not support
    file.write_text('removal = "destroy"\n[bus]\nschemas = false\narchive_days = 0')
    assert cdk.main(["bootstrap"]) == 0, capfd.readouterr()
    assert f"aws://{ACCOUNT}/{REGION} bootstrapped" in "".join(
        capfd.readouterr()
    )  # The CDK writes it to standard output when CI is set.
    for subcommand in (["deploy", "--require-approval", "never"], ["diff", "--fail"], ["destroy", "--force"]):
        assert cdk.main(["--environment", str(file), *subcommand]) == 0, capfd.readouterr()
    with pytest.raises(ClientError, match="does not exist"):
        account("cloudformation").describe_stacks(StackName="tailrace-cdk")
