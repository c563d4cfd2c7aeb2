"""A template that CloudFormation takes without the CDK: no bootstrap, no asset; code and image are parameters."""

from aws_cdk import CfnParameter, DefaultStackSynthesizer, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from tailrace.packaging import Package
from tailrace_cdk import outputs
from tailrace_cdk.config import Environment
from tailrace_cdk.existing import Existing
from tailrace_cdk.messaging.code import IMAGE, IMAGE_FORM
from tailrace_cdk.tailrace import Tailrace


class PlainStack(Stack):
    """
    The stack of an environment with parameters for what a deployment brings.

    ``PackageBucket`` and ``PackageKey`` are where the zip lies in S3. ``PackageImage`` is the functions' image in place of a
    zip. ``Image`` is that of the tailer, unless the environment names it or has no tailer. ``package`` describes the events;
    its code is not in the template.
    """

    def __init__(self, scope: Construct, environment: Environment, *, package: Package) -> None:
        super().__init__(
            scope,
            f"tailrace-{environment.name}",
            description=f"Tailrace, {environment.name}",
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        code = self._image("PackageImage", "the functions' image") if package.is_image else self._zip()
        takes_image = environment.watches and not environment.tailer.image
        existing: Existing = {"image": self._image("Image", "the tailer's image")} if takes_image else {}
        tailrace = Tailrace(self, "Default", package=code, catalogue=package.catalogue, **dict(environment), **existing)
        outputs.add(self, tailrace)

    def _zip(self) -> lambda_.Code:
        bucket = CfnParameter(self, "PackageBucket", description="S3 bucket of the Lambda zip, in the region of the stack")
        key = CfnParameter(
            self, "PackageKey", description="Key of the Lambda zip; a new zip needs a new key, or no function changes"
        )
        return lambda_.Code.from_cfn_parameters(bucket_name_param=bucket, object_key_param=key)

    def _image(self, name: str, described: str) -> str:
        image = CfnParameter(
            self,
            name,
            allowed_pattern=IMAGE,
            constraint_description=IMAGE_FORM,
            description=f"URI of {described} in ECR, with its digest",
        )
        return image.value_as_string
