"""
``tailer doctor``: checks everything a tailer needs, with its settings, and reports what is wrong and the remedy.

It takes no lease, sends no message and consumes nothing: a tailer that runs does not notice. All that it writes is a record of
its own beside the checkpoints and an object of its own in the claim bucket.
"""

import re
import threading
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from tailer.checklist import all_checks
from tailer.checks import Check, Finding, State, fail, skip
from tailer.errors import Misconfigured, Unavailable
from tailer.output import Say, as_json
from tailer.parts import Parts
from tailer.settings.checks import unreadable
from tailer.settings.settings import as_set_in
from tailer.waits import WAITS
from tailrace.text.legible import legible

_SIGN_IN = re.compile(r"//.*@")  # to the last @ of the line: a password may contain others, and spaces
TIMEOUT = 55.0  # seconds for all checks
_PASSED = {State.OK, State.WARN}
_WIDTH = 20  # of the longest name

Results = Sequence[tuple[Check, Finding]]


def doctor(options: Namespace, streams: Sequence[Parts], say: Say) -> int:
    """Run every check and report what is wrong and the remedy. Return the exit code of the worst failure."""

    def in_words_of_the_user(check: Check, text: str) -> str:
        about = [parts.settings for parts in streams if not check.streams or parts.settings.stream in check.streams]
        return hidden(as_set_in(about)(text))

    checks = [*all_checks([parts.impatient() for parts in streams]), *options.checks]
    return _report(options, checks, say, in_words_of_the_user, len(streams) > 1)


def unsettled(options: Namespace, error: Misconfigured, say: Say) -> int:
    """Report the settings that cannot be read. Without them the doctor's own checks cannot run."""
    return _report(options, [*unreadable(error), *options.checks], say, lambda _, text: text, several=False)


def hidden(text: str) -> str:
    """Return the text without the user and the password of any URI, in case a library repeats one."""
    return _SIGN_IN.sub("//***@", text)


def _report(options: Namespace, checks: Iterable[Check], say: Say, words: Callable[[Check, str], str], several: bool) -> int:
    results: list[tuple[Check, Finding]] = []
    for check, finding in run(checks, clock=time.monotonic):
        shown = replace(finding, found=words(check, finding.found), remedy=words(check, finding.remedy))
        results.append((check, shown))
        if not options.json:
            say(line(check, shown, several=several))
    say(json_object(results) if options.json else summary(results))
    return exit_code(finding for _, finding in results)


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


def line(check: Check, finding: Finding, *, several: bool) -> str:
    """What was found, and after the arrow the remedy. With several streams the line names those that it is about."""
    stream = f"[{', '.join(check.streams)}] " if several and check.streams else ""
    found = " ".join(f"{stream}{finding.found}".split())
    return legible(f"{finding.state:4}  {check.name:{_WIDTH}} {found}{f' → {finding.remedy}' if finding.remedy else ''}")


def summary(results: Results) -> str:
    """How many checks ended in each state, and the exit code."""
    counted = Counter(finding.state for _, finding in results)
    code = exit_code(finding for _, finding in results)
    return f"{', '.join(f'{counted[state]} {state}' for state in State)}; exit {code}"


def json_object(results: Results) -> str:
    findings = [
        {"name": check.name, "stream": ", ".join(check.streams)}
        | {"state": finding.state, "found": finding.found, "remedy": finding.remedy}
        for check, finding in results
    ]
    return as_json({"exitCode": exit_code(finding for _, finding in results), "findings": findings})
