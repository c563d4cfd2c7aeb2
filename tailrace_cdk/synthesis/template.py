"""A template that CloudFormation takes without the CDK: no bootstrap, no asset, the zip and the image as parameters."""

from aws_cdk import CfnParameter, DefaultStackSynthesizer, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from tailrace.packaging import Package
from tailrace_cdk import outputs
from tailrace_cdk.config import Environment
from tailrace_cdk.existing import Existing
from tailrace_cdk.tailrace import Tailrace

IMAGE = r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/\S+@sha256:[0-9a-f]{64}$"


class PlainStack(Stack):
    """
    The stack of an environment with the parameters ``PackageBucket`` and ``PackageKey``, where the zip lies in S3.

    It has the parameter ``Image`` too, unless the environment names an image or has no tailer. ``package`` describes the
    events; its zip is not in the template.
    """

    def __init__(self, scope: Construct, environment: Environment, *, package: Package) -> None:
        super().__init__(
            scope,
            f"tailrace-{environment.name}",
            description=f"Tailrace, {environment.name}",
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        bucket = CfnParameter(self, "PackageBucket", description="S3 bucket of the Lambda zip, in the region of the stack")
        key = CfnParameter(
            self, "PackageKey", description="Key of the Lambda zip; a new zip needs a new key, or no function changes"
        )
        code = lambda_.Code.from_cfn_parameters(bucket_name_param=bucket, object_key_param=key)
        existing: Existing = {"image": self._image()} if environment.watches and not environment.tailer.image else {}
        tailrace = Tailrace(self, "Default", package=code, catalogue=package.catalogue, **dict(environment), **existing)
        outputs.add(self, tailrace)

    def _image(self) -> str:
        image = CfnParameter(
            self,
            "Image",
            allowed_pattern=IMAGE,
            constraint_description="an image in ECR with its digest, ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:DIGEST",
            description="URI of the tailer's image in ECR, with its digest",
        )
        return image.value_as_string
