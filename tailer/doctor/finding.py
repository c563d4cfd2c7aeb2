"""What the doctor looks at, and what was found there."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tailer.errors import EXIT_CODES, Misconfigured, TailerError

Clock = Callable[[], float]
"""Monotonic, in seconds."""

SECONDS = 8.0  # that a look may take, if it does not say otherwise


class State(StrEnum):
    """How it is: right, worth a look, not to be seen from here, or wrong."""

    OK = "ok"
    WARN = "warn"
    SKIP = "skip"
    FAIL = "FAIL"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """
    What a look found, and in one sentence what to do about it. ``exit_code`` is that of a ``tailer run`` which meets the same
    failure; 0 where it is none.
    """

    state: State
    found: str
    remedy: str = ""
    exit_code: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Check:
    """
    One look, by name. It is taken only where all that it ``needs`` passed, and is given up after ``seconds``, which is then the
    verdict ``late``. ``stream`` says of which stream it tells, if of one only; ``kind`` of which kind its neighbour is, where
    each kind has remedies of its own.
    """

    name: str
    look: Callable[[], Verdict]
    needs: tuple["Check", ...] = ()
    seconds: float = SECONDS
    late: Verdict | None = None
    stream: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A verdict with the name of its check."""

    name: str
    stream: str
    verdict: Verdict


class NotAllowed(Exception):
    """This process may not look; the text is the right that it would need."""


class OutOfReach(Exception):
    """There is no way to a service from here; the text says which."""


def ok(found: str) -> Verdict:
    """As it should be."""
    return Verdict(state=State.OK, found=found)


def warn(found: str, remedy: str) -> Verdict:
    """It works, and will not always, or not as well as it could."""
    return Verdict(state=State.WARN, found=found, remedy=remedy)


def skip(found: str, remedy: str = "") -> Verdict:
    """Not looked at, and why."""
    return Verdict(state=State.SKIP, found=found, remedy=remedy)


def out_of_reach(service: str) -> Verdict:
    """Where a network has ways only to what a tailer needs, nothing else can be looked at, and nothing is wrong."""
    return skip(
        f"{service} cannot be reached from here", "run the doctor where it can be reached: a tailer itself does not need it"
    )


def fail(found: str, remedy: str = "", error: type[TailerError] = Misconfigured) -> Verdict:
    """It does not work. ``error`` is what ``tailer run`` makes of it; without a remedy it gets that of its check."""
    return Verdict(state=State.FAIL, found=found, remedy=remedy, exit_code=EXIT_CODES.get(error, 1))
