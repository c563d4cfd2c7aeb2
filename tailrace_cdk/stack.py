"""A stack that holds nothing but a ``Tailrace``, and prints its outputs."""

from pathlib import Path
from typing import Any

from aws_cdk import Stack
from constructs import Construct

from tailrace.packaging import Package, package_of
from tailrace.project import Project, load
from tailrace_cdk import outputs
from tailrace_cdk.config import Environment
from tailrace_cdk.project_environment import settings_of
from tailrace_cdk.tailrace import Tailrace


class TailraceStack(Stack):
    """
    The stack ``tailrace-<name>`` of one environment.

    ``options`` are those of any stack, for example ``env``, ``stack_name``, ``tags`` and ``synthesizer``. Without ``env`` the
    template names no account and no region, so it fits any.
    """

    def __init__(self, scope: Construct, environment: Environment, *, package: Package | Path, **options: Any) -> None:
        super().__init__(scope, f"tailrace-{environment.name}", **{"description": f"Tailrace, {environment.name}", **options})
        # This id is no part of a logical id: resources keep the logical ids that they would have directly in the stack.
        self.tailrace = Tailrace(self, "Default", package=package, **dict(environment))
        outputs.add(self, self.tailrace)

    @classmethod
    def of_project(
        cls,
        scope: Construct,
        environment: str,
        *,
        project: Project | None = None,
        package: Package | Path | None = None,
        **options: Any,
    ) -> "TailraceStack":
        """Make the stack ``tailrace-<project>-<environment>``, as ``Tailrace.of_project`` makes the construct."""
        project = project or load()
        return cls(scope, settings_of(project, environment), package=package or package_of(project), **options)
