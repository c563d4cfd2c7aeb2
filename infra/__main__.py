"""
Synthesise the template of an environment, and check it.

    python -P -m infra [--environment trial] [--output cdk.out/trial]

It needs no account, no network and no Docker. Exit codes: 0 the template has no finding, 1 it has findings, 2 a setting is
missing or wrong.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from infra import lint
from infra.environment_files import named
from infra.nag import Findings
from infra.package import REPOSITORY, package
from infra.statements import statements
from infra.synthesis import Synthesised, synthesise
from tailrace.text.legible import indented, legible
from tailrace_cdk.config import Misconfigured, load

PACKAGE = REPOSITORY / "dist" / "forwarder.zip"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -P -m infra", description="Synthesise and check one environment's stack.")
    parser.add_argument("--environment", default="trial", metavar="NAME", help="infra/environments/NAME.toml, or a path to one")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="default: cdk.out/NAME")
    chosen = parser.parse_args(arguments)
    try:
        environment = load(named(chosen.environment))
        made = synthesise(
            environment, chosen.output or REPOSITORY / "cdk.out" / environment.name, package=package(PACKAGE).path
        )
    except Misconfigured as error:
        return _error(2, indented(str(error)))
    except Findings as error:
        return _error(1, str(error))
    print(_summary(made))  # noqa: T201
    if problems := lint.problems(made.file):
        return _error(1, "\n".join(problems))
    print("  cfn-lint   0 findings")  # noqa: T201
    return 0


def _summary(made: Synthesised) -> str:
    types = Counter(resource["Type"].removeprefix("AWS::") for resource in made.template["Resources"].values())
    most = ", ".join(f"{count} {kind}" for kind, count in types.most_common())
    return "\n".join(
        [
            f"{made.stack}: {types.total()} resources",
            f"  {most}",
            f"  grants     {len(statements(made.template))} statements",
            f"  cdk-nag    0 findings; {len(made.departures)} departures from a rule, each with its reason (infra/nag.py)",
            f"  template   {made.file}",
        ]
    )


def _error(code: int, text: str) -> int:
    print(legible(text, lines=True), file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
