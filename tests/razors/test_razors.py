"""The example is a project of a user's own: its imports, its types, its own tests, and the stories that it tells."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "examples" / "razors"
OURS = {"tailrace", "tailer", "lambda_forwarder", "tailrace_cdk", "infra", "devstack", "benchmarks", "tests", "examples"}
PUBLIC = {"tailrace", "tailrace.consuming", "tailrace.testing", "tailrace.dev", "tailrace.project", "tailrace_cdk"}

STEPS = [  # the steps of both stories as the output names them
    "PUT /orders/o-0 answers 200",
    "OrderChanged created, with the complete item",
    "OrderChanged updated, with the patch",
    "PUT /orders/o-3 answers 200 all the same",
    "3 changes wait",
    "SubscriptionCreated from the table's stream",
    "12 units allocated",
    "one payment created in MongoDB",
    "PaymentCreated from the change stream",
    "PaymentCancelled from the change stream",
    "stock             0 units allocated",
    "subscriptions     cancelled",
    "the same metadata.id",
    "each event was acted upon once",
    "OrderChanged o-3, created",
    "parking queue     empty",
    "All 51 hops",  # and without --no-wait 50
]


def run(*words: str, timeout: float = 110) -> "subprocess.CompletedProcess[str]":
    """Run a module in the project's folder, as its team does."""
    environment = {**os.environ, "PYTHONPATH": ".", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-P", "-m", *words]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.mark.usefixtures("services")
def test_every_step_of_both_stories_happens() -> None:
    """The run exits with 0 and shows each hop in order."""
    done = run("razors", "--no-wait")
    assert done.returncode == 0, done.stdout + done.stderr
    at = -1
    for step in STEPS:
        found = done.stdout.find(step, at + 1)
        assert found > at, f"{step!r} is not shown, or not in its place:\n{done.stdout}"
        at = found


@pytest.mark.usefixtures("services")
def test_own_tests_of_the_project_pass() -> None:
    """With the plugin, also where this environment was installed before the plugin existed."""
    done = run("pytest", "-q", "-p", "tailrace.pytest_plugin", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr


def test_project_imports_only_public_packages() -> None:
    """Of ours nothing but what a user's project may import: the packages, and the modules of the dev stack."""
    files = sorted(PROJECT.rglob("*.py"))
    imported = {name for file in files for name in _imported(file) if name.partition(".")[0] in OURS}
    assert {"tailrace", "tailrace.consuming", "tailrace.testing"} <= imported
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
