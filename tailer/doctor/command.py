"""``tailer doctor``."""

import re
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from tailer.checklist import all_checks
from tailer.checks import Check, Finding
from tailer.doctor.report import json_object, line, summary
from tailer.doctor.runner import exit_code, run
from tailer.errors import Misconfigured
from tailer.output import Say
from tailer.parts import Parts
from tailer.settings.checks import unreadable
from tailer.settings.settings import as_set_in

_SIGN_IN = re.compile(r"//.*@")  # to the last @ of the line: a password may contain others, and spaces


def doctor(options: Namespace, streams: Sequence[Parts], say: Say) -> int:
    """Run every check and report what is wrong and the remedy. Return the exit code of the worst failure."""

    def in_words_of_the_user(check: Check, text: str) -> str:
        about = [parts.settings for parts in streams if not check.streams or parts.settings.stream in check.streams]
        return hidden(as_set_in(about)(text))

    return _report(options, all_checks([parts.impatient() for parts in streams]), say, in_words_of_the_user, len(streams) > 1)


def unsettled(options: Namespace, error: Misconfigured, say: Say) -> int:
    """Report the settings that cannot be read. Nothing else can be checked without them."""
    return _report(options, unreadable(error), say, lambda _, text: text, several=False)


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
