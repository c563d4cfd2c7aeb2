"""How findings are told: a line each as they come, or all of them in one JSON object."""

from collections import Counter
from collections.abc import Sequence

from tailer.doctor.examination import exit_code
from tailer.doctor.finding import Finding, State
from tailer.output import as_json
from tailrace.text.legible import legible

_WIDTH = 20  # of the longest name


def line(finding: Finding, *, several: bool) -> str:
    """What was found, and behind the arrow what to do about it. The stream is named where there are several."""
    verdict = finding.verdict
    stream = f"[{finding.stream}] " if several and finding.stream else ""
    told = " ".join(f"{stream}{verdict.found}".split())
    return legible(f"{verdict.state:4}  {finding.name:{_WIDTH}} {told}{f' → {verdict.remedy}' if verdict.remedy else ''}")


def summary(findings: Sequence[Finding]) -> str:
    """How many of each, and how the doctor ends."""
    counted = Counter(finding.verdict.state for finding in findings)
    return f"{', '.join(f'{counted[state]} {state}' for state in State)}; exit {exit_code(findings)}"


def json_object(findings: Sequence[Finding]) -> str:
    """For scripts."""
    return as_json(
        {
            "exitCode": exit_code(findings),
            "findings": [
                {
                    "name": finding.name,
                    "stream": finding.stream,
                    "state": finding.verdict.state,
                    "found": finding.verdict.found,
                    "remedy": finding.verdict.remedy,
                }
                for finding in findings
            ],
        }
    )
