"""Synthesis of an environment's template, with all checks that need no account."""

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
    "@aws-cdk/core:validateAgainstDefaultRules": True,  # a finding of the CDK's own rules is an error
}


@dataclass(frozen=True, kw_only=True)
class Synthesised:
    """
    A template and its file, in a folder that ``cdk deploy --app`` accepts. ``departures`` has one departure from a rule of
    cdk-nag for each finding.
    """

    stack: str
    file: Path
    template: Mapping[str, Any]
    departures: Sequence[nag.Departure]


def synthesise(environment: Environment, output: Path, *, package: Path) -> Synthesised:
    """Write the environment's stack to the folder ``output``. ``package`` is the forwarder's zip."""
    app = App(outdir=str(output), analytics_reporting=False, context=CONTEXT)
    stack = TailraceStack(app, environment, package=package)
    departures = nag.check(app, stack)
    app.synth()
    file = output / stack.template_file
    return Synthesised(stack=stack.stack_name, file=file, template=json.loads(file.read_text()), departures=departures)


def template(environment: Environment) -> Mapping[str, Any]:
    """Return the environment's template, synthesised with an empty package. No file is kept."""
    with TemporaryDirectory(prefix="tailrace-template-") as folder:
        package = Path(folder) / "forwarder.zip"
        package.touch()
        return synthesise(environment, Path(folder) / "cdk.out", package=package).template
