"""The code of the functions: a zip, or a container image with the same files."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from aws_cdk import Token
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from tailrace.errors import Misconfigured

IMAGE = r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/\S+@sha256:[0-9a-f]{64}$"
IMAGE_FORM = "an image in ECR with its digest, ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:DIGEST"


class Run(TypedDict):
    """What a function runs, as arguments of ``lambda_.Function``."""

    code: lambda_.Code
    handler: str
    runtime: lambda_.Runtime


@dataclass(frozen=True, kw_only=True)
class FunctionCode:
    """The code of all functions, which differ in their handlers."""

    of_handler: Callable[[str], lambda_.Code]
    is_image: bool

    def run(self, handler: str) -> Run:
        """Return what a function with this handler runs. An image names its handler as its command."""
        code = self.of_handler(handler)
        if self.is_image:
            return Run(code=code, handler=lambda_.Handler.FROM_IMAGE, runtime=lambda_.Runtime.FROM_IMAGE)
        return Run(code=code, handler=handler, runtime=lambda_.Runtime.PYTHON_3_13)  # as in tailrace.packaging.target


def code_of(package: Path | str | lambda_.Code) -> FunctionCode:
    """
    Return the code of a zip, of the folder that an image is built from, or of an image in ECR by its URI, which may be a token.

    Raises:
        Misconfigured: the text is not the URI of an image with its digest.
    """
    if isinstance(package, str):
        if not Token.is_unresolved(package) and not re.fullmatch(IMAGE, package):
            raise Misconfigured(f"package: {package} is not {IMAGE_FORM}. The path of a zip is a pathlib.Path")
        return FunctionCode(of_handler=lambda handler: _ImageByUri(package, handler), is_image=True)
    if isinstance(package, Path) and package.is_dir():
        platform = ecr_assets.Platform.LINUX_ARM64
        return FunctionCode(
            of_handler=lambda handler: lambda_.Code.from_asset_image(str(package), cmd=[handler], platform=platform),
            is_image=True,
        )
    zipped = lambda_.Code.from_asset(str(package)) if isinstance(package, Path) else package
    return FunctionCode(of_handler=lambda _: zipped, is_image=False)


class _ImageByUri(lambda_.Code):
    """The CDK's own code of an image takes a name and a digest, which a token is not."""

    def __init__(self, uri: str, handler: str) -> None:
        super().__init__()
        self._image = lambda_.CodeImageConfig(image_uri=uri, cmd=[handler])

    def bind(self, scope: Construct) -> lambda_.CodeConfig:  # noqa: ARG002 - the CDK calls it by name
        return lambda_.CodeConfig(image=self._image)
