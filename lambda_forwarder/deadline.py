"""The time that an invocation has: looked at before every call, and before every pause."""

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.ports import TimeLeft


def check(time_left: TimeLeft, before: str) -> None:
    """
    Raises:
        Unavailable: the time was up before this was done.
    """
    if time_left() <= 0:
        raise Unavailable(f"the time was up before {before}")


def one_call_more(time_left: TimeLeft, calls: int = 1) -> TimeLeft:
    """
    The same time, in which the first look always finds some: what keeps the work that is done already may make one call, or so
    many.

    Without it an invocation that runs out of time could keep nothing, and the next one would do the same work again.
    """
    looks = iter((1.0,) * calls)
    return lambda: max(time_left(), next(looks, 0.0))
