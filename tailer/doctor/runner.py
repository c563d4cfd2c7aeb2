"""Runs checks one after the other, each with a time limit, and continues whatever a check finds."""

import threading
from collections.abc import Callable, Iterable, Iterator

from tailer.checks import Check, Finding, State, fail, skip
from tailer.errors import Unavailable
from tailer.waits import WAITS

TIMEOUT = 55.0  # seconds for all checks
_PASSED = {State.OK, State.WARN}


def run(checks: Iterable[Check], *, clock: Callable[[], float]) -> Iterator[tuple[Check, Finding]]:
    """
    Yield every check with its finding as soon as it is known, in order. Every failure has a remedy.

    A check is skipped if a check that it needs did not pass (one cause, one failure), and after ``TIMEOUT`` seconds in all.
    """
    end = clock() + TIMEOUT
    passed: list[Check] = []
    for check in checks:
        finding = check.remedied(_finding(check, passed, end - clock()))
        if finding.state in _PASSED:
            passed.append(check)
        yield check, finding


def exit_code(findings: Iterable[Finding]) -> int:
    """Return what ``tailer run`` would end with: 0 without a failure, else first the code of a start that is refused."""
    codes = {finding.exit_code for finding in findings}
    return next((code for code in (2, 3, 4, 1) if code in codes), 0)


def _finding(check: Check, passed: list[Check], left: float) -> Finding:
    for need in check.needs:
        if not any(other.name == need and other.is_about(check) for other in passed):
            return skip(f"not checked: {need} must pass first")
    if left <= 0:
        return skip(f"not checked: the other checks took {TIMEOUT:g} s")
    return _within(min(check.seconds, left), check)


def _within(seconds: float, check: Check) -> Finding:
    """Run the check in its own thread. A thread that takes too long is left alone: it ends with the process."""
    findings: list[Finding] = []
    thread = threading.Thread(  # noqa: TID251 - an error is a finding
        target=lambda: findings.append(check.finding()), name=check.name, daemon=True
    )
    thread.start()
    thread.join(seconds)
    if findings:
        return findings[0]
    WAITS.end(thread.ident)  # this wait is over
    return check.late or fail(f"no response within {seconds:.0f} s", error=Unavailable)
