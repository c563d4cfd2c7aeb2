"""A stack that holds nothing but a ``Tailrace``, and prints its outputs."""

from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from tailrace_cdk import outputs
from tailrace_cdk.config import Environment
from tailrace_cdk.tailrace import Tailrace


class TailraceStack(Stack):
    """
    The stack ``tailrace-<name>`` of one environment.

    ``options`` are those of any stack, for example ``env``, ``stack_name``, ``tags`` and ``synthesizer``. Without ``env`` the
    template names no account and no region, so it fits any.
    """

    def __init__(self, scope: Construct, environment: Environment, *, package: Path | lambda_.Code, **options: Any) -> None:
        super().__init__(scope, f"tailrace-{environment.name}", **{"description": f"Tailrace, {environment.name}", **options})
        # This id is no part of a logical id: resources keep the logical ids that they would have directly in the stack.
        self.tailrace = Tailrace(self, "Default", package=package, **dict(environment))
        outputs.add(self, self.tailrace)
