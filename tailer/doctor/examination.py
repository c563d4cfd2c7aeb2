"""Batcher the checks one after the other, each with a time limit, and continues whatever a check finds."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from tailer.doctor.finding import Check, Clock, Finding, NotAllowed, OutOfReach, State, Verdict, fail, out_of_reach, skip
from tailer.doctor.remedies import remedy
from tailer.errors import TailerError, Unavailable
from tailer.waits import WAITS

TIMEOUT = 55.0  # seconds for all of it
_PASSED = {State.OK, State.WARN}


def examine(checks: Iterable[Check], *, clock: Clock, hide: Callable[[str], str] = lambda text: text) -> Iterator[Finding]:
    """
    Every check's finding as soon as it is known, in order. ``hide`` takes secrets out of what foreign code may have said.

    A check is skipped if a check that it needs did not pass (one cause, one failure), and after ``TIMEOUT`` seconds in all.
    Every failure has a remedy.
    """
    end = clock() + TIMEOUT
    states: dict[Check, State] = {}
    for check in checks:
        verdict = _verdict(check, states, end - clock())
        states[check] = verdict.state
        verdict = _remedied(check, verdict)
        verdict = replace(verdict, found=hide(verdict.found), remedy=hide(verdict.remedy))
        yield Finding(name=check.name, stream=check.stream, verdict=verdict)


def exit_code(findings: Iterable[Finding]) -> int:
    """0 without a failure; else what ``tailer run`` would end with: first what it refuses to start for."""
    codes = {finding.verdict.exit_code for finding in findings}
    return next((code for code in (2, 3, 4, 1) if code in codes), 0)


def _verdict(check: Check, states: dict[Check, State], left: float) -> Verdict:
    if missing := [need.name for need in check.needs if states.get(need) not in _PASSED]:
        return skip(f"not checked: {missing[0]} must pass first")
    if left <= 0:
        return skip(f"not checked: the other checks took {TIMEOUT:g} s")
    return _within(min(check.seconds, left), check)


def _remedied(check: Check, verdict: Verdict) -> Verdict:
    """With the look's own advice, and else with what helps against such a failure of such a check."""
    if verdict.state is not State.FAIL or verdict.remedy:
        return verdict
    return replace(verdict, remedy=remedy(check.kind or check.name, verdict.exit_code))


def _within(seconds: float, check: Check) -> Verdict:
    """In a thread of its own, which is left to itself when it takes too long: it ends with the process."""
    responses: list[Verdict] = []
    thread = threading.Thread(  # noqa: TID251 - what goes wrong is its finding
        target=lambda: responses.append(_looked(check)), name=check.name, daemon=True
    )
    thread.start()
    thread.join(seconds)
    if responses:
        return responses[0]
    WAITS.end(thread.ident)  # nobody waits for it any more
    return check.late or fail(f"no response within {seconds:.0f} s", error=Unavailable)


def _looked(check: Check) -> Verdict:
    try:
        return check.look()
    except NotAllowed as right:
        return skip("this process may not check this", f"it would need {right}")
    except OutOfReach as service:
        return out_of_reach(str(service))
    except TailerError as error:
        return fail(str(error), error=type(error))
    except Exception as error:
        return fail(f"{type(error).__name__}: {error}", error=Unavailable)
