"""
The CDK's own command line, for one environment that was synthesised: deploy, diff, destroy, bootstrap …

    python -m infra.cdk --environment trial deploy

It is fetched by npm at the first use, and runs on the Node.js of the lock.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.package import REPOSITORY

# The first that reads what aws-cdk-lib 2.275 writes is 2.1148.0. 3.0.0, though it is newer, does not: it says so and ends.
VERSION = "2.1148.1"
NPX = Path("lib", "node_modules", "npm", "bin", "npx-cli.js")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and return its exit code. What it is told besides the environment it is told as it is."""
    parser = argparse.ArgumentParser(prog="python -m infra.cdk", description="The CDK's command line.", add_help=False)
    parser.add_argument("--environment", default="trial", metavar="NAME", help="one that was synthesised to cdk.out/NAME")
    chosen, rest = parser.parse_known_args(arguments)
    run = command(REPOSITORY / "cdk.out" / chosen.environment, rest)
    return subprocess.run(run, check=False, env=environment()).returncode  # noqa: S603


def command(assembly: Path, rest: Sequence[str]) -> list[str]:
    """What is run for the stack in this folder."""
    node = Path(os.environ["JSII_NODE"])
    return [str(node), str(node.parents[1] / NPX), "--yes", f"aws-cdk@{VERSION}", *rest, "--app", str(assembly)]


def environment() -> dict[str, str]:
    """This process's, with that Node.js before any other on the path: what npx starts looks for it there."""
    return {**os.environ, "PATH": f"{Path(os.environ['JSII_NODE']).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


if __name__ == "__main__":
    sys.exit(main())
