"""cfn-lint checks a template against CloudFormation's resource specifications and its own rules."""

from collections.abc import Sequence
from pathlib import Path

from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

IGNORED = ["W3005"]  # a DependsOn that a reference implies: the CDK always writes both


def problems(template: Path) -> Sequence[str]:
    """Return a line for each finding, warnings included."""
    found = lint_file(template, config=ManualArgs(ignore_checks=IGNORED))
    return [f"{match.rule.id} {'/'.join(map(str, match.path or ()))}: {match.message}" for match in found]
