"""Deploys a synthesised stack to the emulator's CloudFormation, as the CDK's command line deploys it to an account."""

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tailrace.dev.aws import ACCOUNT, REGION, Aws

ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"  # the names of what `cdk bootstrap` creates
BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"
SECONDS = 60.0

LEFT_OUT = {  # Types that the emulator cannot deploy, so nobody has tried them here.
    "AWS::EventSchemas::Registry": "the emulator has no schema registry",
    "AWS::EventSchemas::Schema": "the emulator has no schema registry",
    "AWS::Events::Archive": "the emulator's buses have archives, its CloudFormation does not",
    "AWS::Events::EventBusPolicy": "the emulator knows no policy of a bus",
}

Resource = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A deployed stack. ``resources`` are the emulator's descriptions by logical id."""

    template: Resource
    outputs: Mapping[str, str]
    resources: Mapping[str, Resource]

    def physical(self, kind: str, part: str = "") -> str:
        """Return the name of the one resource of this type whose logical id has this part."""
        found = (one for one in self.resources.values() if one["ResourceType"] == kind and part in one["LogicalResourceId"])
        [one] = found
        return str(one["PhysicalResourceId"])


def bootstrap(aws: Aws) -> None:
    """Create what the CDK's bootstrap creates: a bucket for assets, and a version."""
    s3 = aws("s3")
    if ASSETS not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=ASSETS, CreateBucketConfiguration={"LocationConstraint": REGION})
    aws("ssm").put_parameter(Name=BOOTSTRAP_VERSION, Value="30", Type="String", Overwrite=True)


def publish(aws: Aws, folder: Path, stack: str) -> None:
    """Upload every asset of a synthesised stack to the place that the assembly in this folder lists."""
    assets = json.loads((folder / f"{stack}.assets.json").read_text())["files"].values()
    for asset in assets:
        [place] = asset["destinations"].values()
        bucket = place["bucketName"].replace("${AWS::AccountId}", ACCOUNT).replace("${AWS::Region}", REGION)
        aws("s3").upload_file(str(folder / asset["source"]["path"]), bucket, place["objectKey"])


def without(template: Mapping[str, Any], kinds: Collection[str]) -> Resource:
    """Return the template without resources of these types. A remaining resource may wait for them, but not refer to them."""
    kept = {name: one for name, one in template["Resources"].items() if one["Type"] not in kinds}
    left: Resource = json.loads(json.dumps({**template, "Resources": kept}))
    gone = template["Resources"].keys() - kept.keys()
    for one in left["Resources"].values():
        if "DependsOn" in one:
            one["DependsOn"] = [name for name in one["DependsOn"] if name not in gone]
    assert not [name for name in gone if json.dumps(name) in json.dumps(left)]
    return left


def create(
    aws: Aws, stack: str, template: Mapping[str, Any], bucket: str = ASSETS, parameters: Mapping[str, str] | None = None
) -> None:
    """Create the stack. The template is uploaded to the bucket, since it is too large for the call."""
    key = f"{stack}.template.json"
    aws("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(template))
    aws("cloudformation").create_stack(
        StackName=stack,
        TemplateURL=f"{aws.endpoint_url}/{bucket}/{key}",
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in (parameters or {}).items()],
        Capabilities=["CAPABILITY_IAM"],
    )


def deploy(
    aws: Aws, stack: str, template: Resource, bucket: str = ASSETS, parameters: Mapping[str, str] | None = None
) -> Deployment:
    """
    Create the stack and wait for it. Raises: AssertionError: it failed, with CloudFormation's reason for each failed resource.
    """
    cloudformation = aws("cloudformation")
    create(aws, stack, template, bucket, parameters)
    deadline = time.monotonic() + SECONDS
    while (described := cloudformation.describe_stacks(StackName=stack)["Stacks"][0])["StackStatus"].endswith("IN_PROGRESS"):
        assert time.monotonic() < deadline, f"{stack} is {described['StackStatus']} after {SECONDS:g} s"
        time.sleep(0.1)
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failures = [(one["LogicalResourceId"], one["ResourceStatusReason"]) for one in events if "FAILED" in one["ResourceStatus"]]
    assert (described["StackStatus"], failures) == ("CREATE_COMPLETE", []), failures
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    return Deployment(
        template=template,
        outputs={one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", ())},
        resources={one["LogicalResourceId"]: one for one in resources},
    )


def remove(aws: Aws, stack: str) -> None:
    """Delete the stack with all its resources."""
    aws("cloudformation").delete_stack(StackName=stack)
