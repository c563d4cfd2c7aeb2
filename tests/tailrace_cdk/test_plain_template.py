"""The template for Terraform and the console, deployed to the emulator's CloudFormation without the CDK's bootstrap."""

import json
from pathlib import Path

from devstack import DevStack
from tailrace.dev.aws import REGION
from tailrace.project import load
from tailrace_cdk.project_environment import settings_of
from tailrace_cdk.synthesis.synthesis import synthesise
from tailrace_cdk.synthesis.template import PlainStack
from tests.tailrace.packaging import shop
from tests.tailrace_cdk.deployment import LEFT_OUT, deploy, remove, without

MESSAGING = f"{shop.PROJECT}\n[environments.messaging.alarms]\nlag_seconds = 60\n"


def test_plain_template_is_deployed_without_a_bootstrap(stack: DevStack, tmp_path: Path) -> None:
    """With the zip in a bucket of the team. Each function has exactly the code of the zip."""
    folder = shop.write(tmp_path, tailrace_toml=MESSAGING)
    settings, package = settings_of(load(folder), "messaging"), shop.built(folder)
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
