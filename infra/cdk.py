"""
Run the CDK's command line, for one environment (deploy, diff, destroy …) or for an account and region (bootstrap).

    python -P -m infra.cdk --environment mine deploy
    python -P -m infra.cdk bootstrap

npm installs it from its lock at the first use, and it runs on the Node.js of the lock. The exit code is that of the command
line, or 2 if it cannot run: the environment is missing or wrong, credentials are missing, or npm could not install it.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra import __main__ as synthesis
from infra.account import NoAccount, account
from infra.environment_files import named, there
from infra.package import REPOSITORY
from infra.supply.command_line import NotInstalled, environment, installed
from tailrace.text.terminal import complain
from tailrace_cdk.config import Misconfigured, load
from tailrace_cdk.node import own_node

OF_AN_ENVIRONMENT = ("deploy", "diff", "destroy", "rollback", "drift")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. All other arguments are passed on unchanged."""
    parser = argparse.ArgumentParser(
        prog="python -P -m infra.cdk", description="The CDK's command line.", add_help=False, allow_abbrev=False
    )
    parser.add_argument("--environment", default="", metavar="NAME", help="infra/environments/NAME.toml, or a path to one")
    parser.add_argument("--profile", metavar="NAME", help="of your AWS configuration")
    chosen, rest = parser.parse_known_args(arguments)
    profile = ["--profile", chosen.profile] if chosen.profile else []
    try:
        if "bootstrap" in rest:  # without an environment, so without a stack: bootstrap needs the account as an argument
            run = command(None, [*rest, account(chosen.profile), *profile])
        elif subcommand := next((word for word in rest if word in OF_AN_ENVIRONMENT), ""):
            assembly = _assembly(chosen.environment, subcommand)
            account(chosen.profile)
            if code := synthesis.main(["--environment", chosen.environment, "--output", str(assembly)]):
                return code
            run = command(assembly, [*rest, *profile])
        else:
            run = command(None, [*rest, *profile])
    except (Misconfigured, NoAccount, NotInstalled) as error:
        complain(str(error), by="infra.cdk")
        return 2
    return subprocess.run(run, check=False, env=environment()).returncode  # noqa: S603


def _assembly(name: str, subcommand: str) -> Path:
    """
    Return the folder that an environment is synthesised to.

    There is no default environment: a wrong one would create a second database in production's account.
    """
    if not name:
        raise Misconfigured(f"Name the environment: make {subcommand} ENVIRONMENT=mine. Environments: {there()}.")
    return REPOSITORY / "cdk.out" / load(named(name)).name


def command(assembly: Path | None, rest: Sequence[str]) -> list[str]:
    """Return the command to run, for the stack in the folder ``assembly`` if it is given."""
    app = ["--app", str(assembly)] if assembly else []
    return [str(own_node()), str(installed()), *rest, *app]


if __name__ == "__main__":
    sys.exit(main())
