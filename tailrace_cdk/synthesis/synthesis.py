"""Synthesis of an environment's template, with all checks that need no account."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import App, Stack
from constructs import Construct

from tailrace.packaging import Catalogue, Package
from tailrace_cdk.config import Environment
from tailrace_cdk.stack import TailraceStack
from tailrace_cdk.synthesis import lint, nag

CONTEXT = {
    "aws:cdk:enable-path-metadata": True,  # each resource has its construct path
    "@aws-cdk/core:validateAgainstDefaultRules": True,  # a finding of the CDK's own rules is an error
}


@dataclass(frozen=True, kw_only=True)
class Synthesised:
    """
    A template and its file, in a folder that ``cdk deploy --app`` accepts.

    ``departures`` has one departure from a rule of cdk-nag for each finding. It is None if cdk-nag is not installed.
    """

    stack: str
    file: Path
    template: Mapping[str, Any]
    departures: Sequence[nag.Departure] | None

    def summary(self) -> str:
        """Return the number of resources of each type, what was checked, and where the template is."""
        types = Counter(resource["Type"].removeprefix("AWS::") for resource in self.template["Resources"].values())
        most = ", ".join(f"{count} {kind}" for kind, count in types.most_common())
        rules = (
            "not installed, so its rules were not checked. Install it: pip install cdk-nag"
            if self.departures is None
            else f"0 findings; {len(self.departures)} departures from a rule, each with its reason"
        )
        lines = [f"{self.stack}: {types.total()} resources", f"  {most}", f"  cdk-nag    {rules}", f"  template   {self.file}"]
        return "\n".join(lines)

    def problems(self) -> Sequence[str]:
        """Return a line for each finding of cfn-lint; none if it is not installed."""
        return lint.problems(self.file) if lint.installed() else ()


def synthesise(make: Callable[[Construct], Stack], output: Path) -> Synthesised:
    """
    Write the stack that ``make`` adds to an app to the folder ``output``.

    Raises:
        Findings: the template departs from a rule of cdk-nag without a reason.
    """
    app = App(outdir=str(output), analytics_reporting=False, context=CONTEXT)
    stack = make(app)
    departures = nag.check(app, stack) if nag.installed() else None
    app.synth()
    file = output / stack.template_file
    return Synthesised(stack=stack.stack_name, file=file, template=json.loads(file.read_text()), departures=departures)


def of_environment(environment: Environment, output: Path, *, package: Package | Path) -> Synthesised:
    """Write the ``TailraceStack`` of an environment to the folder ``output``."""
    return synthesise(lambda app: TailraceStack(app, environment, package=package), output)


def template(environment: Environment) -> Mapping[str, Any]:
    """Return the environment's template, synthesised with an empty zip. No file is kept."""
    with TemporaryDirectory(prefix="tailrace-template-") as folder:
        file = Path(folder) / "forwarder.zip"
        file.touch()
        empty = Catalogue(mappers=environment.forwarder.mappers or "events:MAPPERS", keys=(), events=())
        package = Package(path=file, sha256="", unzipped_bytes=0, catalogue=empty)
        return of_environment(environment, Path(folder) / "cdk.out", package=package).template
