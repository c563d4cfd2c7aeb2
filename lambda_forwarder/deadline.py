"""The deadline of an invocation, checked before every call and every pause."""

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.ports import TimeLeft


def check(time_left: TimeLeft, before: str) -> None:
    """Raise ``Unavailable`` if the time is up. ``before`` names the step that was not done."""
    if time_left() <= 0:
        raise Unavailable(f"the time was up before {before}")


def one_call_more(time_left: TimeLeft, calls: int = 1) -> TimeLeft:
    """
    Return the same time left, except that the first ``calls`` checks always pass. It is for calls that save finished work:
    otherwise an invocation that runs out of time could not save its work, and the next one would repeat it.
    """
    free_checks = iter((1.0,) * calls)
    return lambda: max(time_left(), next(free_checks, 0.0))
