"""The tailer's image."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_cdk import Aws, Fn, Token
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from tailrace_cdk.config import Tailer
from tailrace_cdk.tailing.image_context import DOCKERFILE, image_context

_ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<name>[^@:]+)")


class Image(Construct):
    """
    An existing image by its URI, or an image that the deployment builds for the architecture of the tasks.

    The Dockerfile of this distribution builds it from the installed packages and their lock. Synthesis needs no Docker, and the
    same files give the same name.
    """

    def __init__(self, scope: Construct, id: str, *, tailer: Tailer, uri: str = "") -> None:
        super().__init__(scope, id)
        self.container: ecs.ContainerImage
        self.repository_arn: str
        """The ECR repository that tasks pull the image from; empty for another registry, which needs no right."""
        if image := uri or tailer.image:
            self.container = ecs.ContainerImage.from_registry(image)
            self.repository_arn = _repository_arn(image)
        else:
            arm = tailer.architecture == "arm64"
            with TemporaryDirectory(prefix="tailrace-image-") as folder:  # the asset copies it
                image_context(Path(folder))
                asset = ecr_assets.DockerImageAsset(
                    self,
                    "Built",
                    directory=folder,
                    file=DOCKERFILE,
                    platform=ecr_assets.Platform.LINUX_ARM64 if arm else ecr_assets.Platform.LINUX_AMD64,
                )
            self.container = ecs.ContainerImage.from_docker_image_asset(asset)
            self.repository_arn = asset.repository.repository_arn


def _repository_arn(image: str) -> str:
    if Token.is_unresolved(image):  # known at deployment only; an image of ECR
        account, _, _, region = (Fn.select(part, Fn.split(".", image)) for part in range(4))
        name = Fn.select(0, Fn.split("@", Fn.select(1, Fn.split(".amazonaws.com/", image))))
        return f"arn:{Aws.PARTITION}:ecr:{region}:{account}:repository/{name}"
    named = _ECR.match(image)
    return f"arn:{Aws.PARTITION}:ecr:{named['region']}:{named['account']}:repository/{named['name']}" if named else ""
