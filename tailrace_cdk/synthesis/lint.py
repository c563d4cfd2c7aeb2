"""cfn-lint checks a template against CloudFormation's resource specifications and its own rules."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

IGNORED = ["W3005"]  # a DependsOn that a reference implies: the CDK always writes both


def installed() -> bool:
    return find_spec("cfnlint") is not None


def problems(template: Path) -> Sequence[str]:
    """Return a line for each finding, warnings included."""
    from cfnlint.api import lint_file
    from cfnlint.config import ManualArgs

    found = lint_file(template, config=ManualArgs(ignore_checks=IGNORED))
    return [f"{match.rule.id} {'/'.join(map(str, match.path or ()))}: {match.message}" for match in found]
