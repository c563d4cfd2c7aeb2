"""From an environment to a template, with everything checked that can be checked without an account."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import App

from infra import nag
from tailrace_cdk.config import Environment
from tailrace_cdk.stack import TailraceStack

CONTEXT = {
    "aws:cdk:enable-path-metadata": True,  # each resource has its construct path
    "@aws-cdk/core:validateAgainstDefaultRules": True,  # what the CDK itself finds wrong with a template is an error
}


@dataclass(frozen=True, kw_only=True)
class Synthesised:
    """A template and where it is: a file of a folder that ``cdk deploy --app`` takes."""

    stack: str
    file: Path
    template: Mapping[str, Any]
    departures: Sequence[nag.Departure]
    """From the rules of cdk-nag; one for each finding."""


def synthesise(environment: Environment, output: Path, *, package: Path) -> Synthesised:
    """
    Write the environment's stack to the folder ``output``. ``package`` is the forwarder's zip.

    Raises:
        nag.Findings: cdk-nag found something that no reason covers.
    """
    app = App(outdir=str(output), analytics_reporting=False, context=CONTEXT)
    stack = TailraceStack(app, environment, package=package)
    departures = nag.check(app, stack)
    app.synth()
    file = output / stack.template_file
    return Synthesised(stack=stack.stack_name, file=file, template=json.loads(file.read_text()), departures=departures)


def template(environment: Environment) -> Mapping[str, Any]:
    """The environment's template alone, made with an empty package: no file is kept."""
    with TemporaryDirectory(prefix="tailrace-template-") as folder:
        package = Path(folder) / "forwarder.zip"
        package.touch()
        return synthesise(environment, Path(folder) / "cdk.out", package=package).template
