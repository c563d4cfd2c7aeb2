"""The report of the doctor: a line for each check as soon as it is done, or all of them in one JSON object."""

from collections import Counter
from collections.abc import Sequence

from tailer.checks import Check, Finding, State
from tailer.doctor.runner import exit_code
from tailer.output import as_json
from tailrace.text.legible import legible

_WIDTH = 20  # of the longest name

Results = Sequence[tuple[Check, Finding]]


def line(check: Check, finding: Finding, *, several: bool) -> str:
    """What was found, and after the arrow the remedy. With several streams the line names those that it is about."""
    stream = f"[{_names(check)}] " if several and check.streams else ""
    found = " ".join(f"{stream}{finding.found}".split())
    return legible(f"{finding.state:4}  {check.name:{_WIDTH}} {found}{f' → {finding.remedy}' if finding.remedy else ''}")


def summary(results: Results) -> str:
    """How many checks ended in each state, and the exit code."""
    counted = Counter(finding.state for _, finding in results)
    code = exit_code(finding for _, finding in results)
    return f"{', '.join(f'{counted[state]} {state}' for state in State)}; exit {code}"


def json_object(results: Results) -> str:
    findings = [
        {
            "name": check.name,
            "stream": _names(check),
            "state": finding.state,
            "found": finding.found,
            "remedy": finding.remedy,
        }
        for check, finding in results
    ]
    return as_json({"exitCode": exit_code(finding for _, finding in results), "findings": findings})


def _names(check: Check) -> str:
    return ", ".join(check.streams)
