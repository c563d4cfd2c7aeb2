"""Every kind of environment becomes a valid template, as far as this can be checked without an account."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from tailrace_cdk.synthesis import lint, nag
from tailrace_cdk.synthesis.synthesis import Synthesised, of_environment
from tests.tailrace_cdk.package import package
from tests.tailrace_cdk.variants import VARIANTS

Made = Callable[[str], Synthesised]
STATEFUL = {
    "AWS::SQS::Queue",
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::DocDB::DBCluster",
    "AWS::Events::EventBus",
    "AWS::Events::Archive",
    "AWS::EventsV2::EventBus",
    "AWS::Logs::LogGroup",
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_template_has_no_findings(made: Made, variant: str) -> None:
    """Of cdk-nag, of the CDK's own rules, and of cfn-lint."""
    assert lint.problems(made(variant).file) == []


@pytest.mark.parametrize(("variant", "policy"), [("trial", "Delete"), ("production", "Retain"), ("ordered", "Retain")])
def test_resources_with_data_outlive_the_stack_unless_destroy(made: Made, variant: str, policy: str) -> None:
    """On deletion and on replacement."""
    resources = made(variant).template["Resources"]
    kept = {name: one for name, one in resources.items() if one["Type"] in STATEFUL}
    assert {(one["DeletionPolicy"], one["UpdateReplacePolicy"]) for one in kept.values()} == {(policy, policy)}


def test_messaging_part_has_no_fixed_costs(made: Made) -> None:
    """No network, no database, no task: for a tailer elsewhere."""
    kinds = {one["Type"].split("::")[1] for one in made("messaging").template["Resources"].values()}
    assert kinds.isdisjoint({"EC2", "DocDB", "ECS", "KMS"})


def test_same_environment_gives_the_same_template(made: Made, tmp_path: Path) -> None:
    """Byte for byte."""
    first = made("messaging").file
    file = Path(shutil.copy(first.parents[1] / "forwarder.zip", tmp_path / "other.zip"))
    same = package(tmp_path, "PaymentCreated", "PaymentCancelled", file=file)
    again = of_environment(VARIANTS["messaging"], tmp_path / "again", package=same)
    assert again.file.read_bytes() == first.read_bytes()


def test_every_departure_from_a_rule_is_needed(made: Made) -> None:
    """By some environment."""
    needed = {departure for variant in VARIANTS for departure in made(variant).departures or ()}
    assert needed == set(nag.DEPARTURES)


def test_finding_without_a_reason_stops_the_synthesis() -> None:
    """With rule, construct and problem, all at once."""
    app = App()
    stack = Stack(app, "stack")
    sqs.Queue(stack, "Queue")
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(iam.PolicyStatement(actions=["s3:*"], resources=["*"]))
    with pytest.raises(nag.Findings) as found:
        nag.check(app, stack)
    rules = {line.split()[0] for line in str(found.value).splitlines()}
    assert {"AwsSolutions-SQS3", "AwsSolutions-SQS4", "AwsSolutions-IAM5[Action::s3:*]"} <= rules


def test_departure_covers_only_its_own_place() -> None:
    [parking] = [one for one in nag.DEPARTURES if one.rule == "SQS3"]
    assert parking.covers("SQS3", "Queues/Parking/Resource")
    assert not parking.covers("SQS3", "Queues/Changes/Resource")
    assert not parking.covers("SQS4", "Queues/Parking/Resource")


def test_linter_finds_what_the_cdk_accepts(made: Made, tmp_path: Path) -> None:
    """CloudFormation would refuse the property during a deployment."""
    template = json.loads(made("messaging").file.read_text())
    mapping = next(one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::EventSourceMapping")
    mapping["Properties"]["ScalingConfig"]["MaximumConcurrency"] = 1
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))
    [problem] = lint.problems(file)
    assert "MaximumConcurrency" in problem
