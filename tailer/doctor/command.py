"""``tailer doctor``."""

import re
import time
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from tailer.doctor.aws import client
from tailer.doctor.checks import CheckContext, all_checks
from tailer.doctor.examination import examine, exit_code
from tailer.doctor.finding import Finding, fail
from tailer.doctor.report import json_object, line, summary
from tailer.errors import Misconfigured
from tailer.output import Say
from tailer.parts import Parts
from tailer.settings.settings import as_set_in

_SIGN_IN = re.compile(r"//.*@")  # to the last @ of the line: a password may hold others, and spaces


def doctor(options: Namespace, streams: Sequence[Parts], say: Say) -> int:
    """Look at everything, say what is wrong and what to do about it. The exit code of the worst of it."""
    findings: list[Finding] = []
    with ExitStack() as undo:
        context = CheckContext(clients=cache(client), now=lambda: datetime.now(UTC), clock=time.monotonic, undo=undo)
        for found in examine(all_checks(streams, context), clock=time.monotonic, hide=hidden):
            finding = _as_set(found, streams)
            findings.append(finding)
            if not options.json:
                say(line(finding, several=len(streams) > 1))
    say(json_object(findings) if options.json else summary(findings))
    return exit_code(findings)


def unsettled(options: Namespace, error: Misconfigured, say: Say) -> int:
    """The same where the settings cannot be read: there is nothing else to look at."""
    head, *problems = (text.strip() for text in str(error).splitlines())
    verdicts = [fail(problem, "correct it, then run the doctor again") for problem in problems or [head]]
    findings = [Finding(name="settings", stream="", verdict=verdict) for verdict in verdicts]
    for finding in findings if not options.json else ():
        say(line(finding, several=False))
    say(json_object(findings) if options.json else summary(findings))
    return exit_code(findings)


def _as_set(finding: Finding, streams: Sequence[Parts]) -> Finding:
    """With each setting called as it was set, in the streams that the finding is about."""
    names = finding.stream.split(", ")
    said = as_set_in([one.settings for one in streams if not finding.stream or one.settings.stream in names])
    verdict = replace(finding.verdict, found=said(finding.verdict.found), remedy=said(finding.verdict.remedy))
    return replace(finding, verdict=verdict)


def hidden(text: str) -> str:
    """Without the user and the password of any URI, should a library ever repeat one."""
    return _SIGN_IN.sub("//***@", text)
