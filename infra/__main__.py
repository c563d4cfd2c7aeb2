"""
Synthesise the template of an environment, and check it.

    python -P -m infra [--environment trial] [--output cdk.out/trial]

It needs no account, no network and no Docker. Exit codes: 0 the template has no finding, 1 it has findings, 2 a setting is
missing or wrong.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from infra.environment_files import named
from infra.package import CACHE, REPOSITORY, example
from infra.statements import statements
from tailrace.errors import Misconfigured
from tailrace.packaging import build
from tailrace.text.legible import indented, legible
from tailrace_cdk.config import load
from tailrace_cdk.synthesis.nag import Findings
from tailrace_cdk.synthesis.synthesis import of_environment

PACKAGE = REPOSITORY / "dist" / "forwarder.zip"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -P -m infra", description="Synthesise and check one environment's stack.")
    parser.add_argument("--environment", default="trial", metavar="NAME", help="infra/environments/NAME.toml, or a path to one")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="default: cdk.out/NAME")
    chosen = parser.parse_args(arguments)
    try:
        environment = load(named(chosen.environment))
        project = example()
        package = build(replace(project, mappers=environment.forwarder.mappers or project.mappers), PACKAGE, cache=CACHE)
        made = of_environment(environment, chosen.output or REPOSITORY / "cdk.out" / environment.name, package=package)
    except Misconfigured as error:
        return _error(2, indented(str(error)))
    except Findings as error:
        return _error(1, str(error))
    print(made.summary())  # noqa: T201
    print(f"  grants     {len(statements(made.template))} statements")  # noqa: T201
    if problems := made.problems():
        return _error(1, "\n".join(problems))
    print("  cfn-lint   0 findings")  # noqa: T201
    return 0


def _error(code: int, text: str) -> int:
    print(legible(text, lines=True), file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
