"""``python -m infra`` as a person runs it, and the CDK's command line behind it."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from devstack.aws import ACCOUNT, REGION, Aws
from devstack.emulator import Emulator
from devstack.workspace import Workspace
from infra import cdk
from infra.__main__ import main
from infra.settings import Bus, Environment
from infra.synthesis import synthesise


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
    assert said.endswith("cfn-lint   nothing to say\n")
    assert [asset for asset in (tmp_path / "out").glob("asset.*.zip") if asset.stat().st_size > 1_000_000]


def test_what_is_wrong_with_an_environment_is_said_and_nothing_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and every setting by name."""
    (tmp_path / "mine.toml").write_text("removel = 1")
    assert main(["--environment", str(tmp_path / "mine.toml"), "--output", str(tmp_path / "out")]) == 2
    assert "removel: it is not a setting" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_environment_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """By the file that it would be."""
    assert main(["--environment", "nowhere"]) == 2
    assert "nowhere.toml cannot be read" in capsys.readouterr().err


def test_the_cdk_runs_on_the_node_of_the_lock(tmp_path: Path) -> None:
    """Its own Node.js is there, is no other that a machine may have, and brings what fetches the command line."""
    node, npx, *arguments = cdk.command(tmp_path, ["deploy", "--quiet"])
    assert node == os.environ["JSII_NODE"]
    assert Path(node).is_file()
    assert Path(npx).is_file()
    assert arguments == ["--yes", f"aws-cdk@{cdk.VERSION}", "deploy", "--quiet", "--app", str(tmp_path)]
    assert cdk.environment()["PATH"].split(os.pathsep)[0] == str(Path(node).parent)


@pytest.fixture
def account() -> Iterator[Aws]:
    """An account that nobody has prepared for the CDK."""
    with Workspace() as workspace:
        emulator = Emulator(workspace)
        emulator.start()
        emulator.wait_ready()
        aws = Aws(emulator.endpoint_url)
        yield aws
        aws.close()


def test_the_cdks_command_line_deploys_what_was_synthesised(account: Aws, tmp_path: Path) -> None:
    """Bootstrap, deploy, no difference left, destroy: the pinned command line reads our template, in the emulator's account."""
    environment = {**cdk.environment(), **account.environment, "npm_config_offline": "true"}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = cdk.command(tmp_path / "out", arguments)
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    if run("--version").returncode:
        pytest.skip(f"needs aws-cdk@{cdk.VERSION} in npm's cache: python -m infra.cdk --version fetches it")
    # Less what the emulator's CloudFormation has not.
    deployable = Environment(name="cdk", removal="destroy", bus=Bus(schemas=False, archive_days=0))
    (tmp_path / "forwarder.zip").write_bytes(b"")
    made = synthesise(deployable, tmp_path / "out", package=tmp_path / "forwarder.zip")
    for arguments in (
        ("bootstrap", f"aws://{ACCOUNT}/{REGION}"),
        ("deploy", "--require-approval", "never"),
        ("diff", "--fail"),
        ("destroy", "--force"),
    ):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
    with pytest.raises(ClientError, match="does not exist"):
        account("cloudformation").describe_stacks(StackName=made.stack)
