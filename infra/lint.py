"""cfn-lint's word on a template: the resource specifications of CloudFormation itself, and its own rules."""

from collections.abc import Sequence
from pathlib import Path

from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

NOT_ASKED = ["W3005"]  # a DependsOn that a reference implies already: the CDK writes both, on purpose and everywhere


def problems(template: Path) -> Sequence[str]:
    """A line for each, warnings too; empty where nothing is wrong."""
    found = lint_file(template, config=ManualArgs(ignore_checks=NOT_ASKED))
    return [f"{match.rule.id} {'/'.join(map(str, match.path or ()))}: {match.message}" for match in found]
