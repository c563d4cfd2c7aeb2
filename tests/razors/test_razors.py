"""The example is a project of a user's own: its imports, its types, its own tests, and the stories that it tells."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tracked import REPOSITORY

PROJECT = REPOSITORY / "examples" / "razors"
OURS = {"tailrace", "tailer", "lambda_forwarder", "tailrace_cdk", "infra", "devstack", "benchmarks", "tests", "examples"}
PUBLIC = {"tailrace", "tailrace.mappers", "tailrace.consuming", "tailrace.testing", "tailrace_cdk"}

HOPS = [  # of both stories, as the output names them
    "orders        bus has DataChanged of dynamodb.razors-orders/o-0",
    "orders        the forwarder is refused, and tries again",
    "orders        3 changes wait in the parking queue",
    "subscriptions bus has SubscriptionCreated",
    "payments      bus has SubscriptionCreated",
    "stock         12 units allocated",
    "payments      one payment created",
    "payments      bus has PaymentCancelled",
    "subscriptions bus has PaymentCancelled",
    "stock         0 units allocated",
    "subscriptions cancelled",
    "subscriptions bus has SubscriptionCancelled",
    "subscriptions bus has SubscriptionCreated",  # both sources are read again
    "payments      bus has PaymentCancelled",
    "stock         has had SubscriptionCreated and PaymentCancelled before",
    "subscriptions has had PaymentCancelled before",  # and both archives are replayed
    "payments      has had SubscriptionCreated before",
    "orders        bus has DataChanged of dynamodb.razors-orders/o-3",
    "orders        the parking queue is empty",
    "passed",
]


@pytest.mark.usefixtures("services")
def test_own_tests_of_the_project_pass_and_every_hop_of_both_stories_happens() -> None:
    """In order. The project's team runs pytest in its folder; the plugin is named in case this environment is older."""
    another = {"TAILER_CONFIG": "/of/another", "TAILER_DATABASE": "another", "FORWARDER_MAPPERS": "of.another:MAPPERS"}
    environment = {**os.environ, **another, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-s", "-p", "tailrace.pytest_plugin", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    at = -1
    for hop in HOPS:
        found = done.stdout.find(hop, at + 1)
        assert found > at, f"{hop!r} is not shown, or not in its place:\n{done.stdout}"
        at = found


def test_project_imports_only_public_packages() -> None:
    """What a user's project may import."""
    files = sorted(PROJECT.rglob("*.py"))
    imported = {name for file in files for name in _imported(file) if name.partition(".")[0] in OURS}
    assert {"tailrace", "tailrace.consuming", "tailrace.testing", "tailrace_cdk"} <= imported
    assert {name for name in imported if ".".join(name.split(".")[:2]) not in PUBLIC} == set()


def _imported(file: Path) -> set[str]:
    """Return the modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found
