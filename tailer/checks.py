"""
Named checks of what a tailer needs, each with its remedies.

Every adapter has its checks beside it. A task runs some of them before it takes a lease; ``tailer doctor`` runs them all.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from tailer.errors import EXIT_CODES, HistoryLost, Misconfigured, Rejected, TailerError, Unavailable

_CLOCK_DIFFERENCE = 5.0  # seconds between two clocks that do no harm


class State(StrEnum):
    """The outcome of a check: it works; it works, but not always or not well; it was not checked; or it does not work."""

    OK = "ok"
    WARN = "warn"
    SKIP = "skip"
    FAIL = "FAIL"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a check found, and the remedy. ``error`` is what a tailer raises for a failure."""

    state: State
    found: str
    remedy: str = ""
    error: type[TailerError] | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of a ``tailer run`` that meets this failure; 0 without a failure."""
        return EXIT_CODES.get(self.error, 1) if self.error else 0

    def __str__(self) -> str:
        if self.found.endswith("?"):
            return f"{self.found} {self.remedy[:1].upper()}{self.remedy[1:]}".strip()
        return "; ".join(filter(None, (self.found, self.remedy)))


def ok(found: str) -> Finding:
    return Finding(state=State.OK, found=found)


def warn(found: str, remedy: str) -> Finding:
    return Finding(state=State.WARN, found=found, remedy=remedy)


def skip(found: str, remedy: str = "") -> Finding:
    """It was not checked; ``found`` is the reason."""
    return Finding(state=State.SKIP, found=found, remedy=remedy)


def fail(found: str, remedy: str = "", error: type[TailerError] = Misconfigured) -> Finding:
    """It does not work. Without a remedy, the finding gets the one of its check."""
    return Finding(state=State.FAIL, found=found, remedy=remedy, error=error)


def not_allowed(right: str) -> Finding:
    """The check needs a right that this process does not have and a tailer does not need."""
    return skip("this process may not check this", f"it would need {right}")


def out_of_reach(service: str) -> Finding:
    """The network has routes only to the services that a tailer needs."""
    return skip(
        f"{service} cannot be reached from here", "run the doctor where it can be reached: a tailer itself does not need it"
    )


def clock_difference(whose: str, ahead: float) -> Finding:
    """Judge a clock that is ``ahead`` seconds ahead of ours."""
    found = f"{whose} is {abs(ahead):.1f} s {'ahead of' if ahead >= 0 else 'behind'} ours"
    return (
        ok(found) if abs(ahead) <= _CLOCK_DIFFERENCE else warn(found, "set both by NTP: lag and headroom are wrong by as much")
    )


class NotChecked(Exception):
    """Something that a tailer does not need keeps a check from its work. A task that starts ignores it."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(frozen=True, kw_only=True, eq=False)
class Check:
    """
    A named check. ``run`` returns what it found, or raises ``NotChecked`` or the error that a tailer would raise.

    ``outage`` and ``mistake`` are the remedies for a failure that has none of its own: where something does not respond, and
    where something is misconfigured. ``at_start`` is the part of ``run`` that a task runs before it takes a lease. The doctor
    runs a check only after those that it ``needs`` passed, and ends it after ``seconds``: the finding is then ``late``.
    ``streams`` names the streams that the check is about; empty: all.
    """

    name: str
    run: Callable[[], Finding]
    outage: str
    mistake: str
    at_start: Callable[[], Finding] | None = None
    needs: tuple[str, ...] = ()
    seconds: float = 8.0
    late: Finding | None = None
    streams: tuple[str, ...] = ()

    def is_about(self, other: "Check") -> bool:
        """Whether both are about a stream in common."""
        return not self.streams or not other.streams or not set(self.streams).isdisjoint(other.streams)

    def finding(self) -> Finding:
        """Run the check. Whatever goes wrong is a finding."""
        try:
            return self.run()
        except NotChecked as reason:
            return reason.finding
        except TailerError as error:
            return fail(str(error), error=type(error))
        except Exception as error:
            return fail(f"{type(error).__name__}: {error}", error=Unavailable)

    def remedied(self, finding: Finding) -> Finding:
        """Return the finding with a remedy, if it is a failure without one."""
        if not finding.error or finding.remedy:
            return finding
        remedies = {
            Misconfigured: self.mistake,
            HistoryLost: "decide where the stream continues: docs/operations/failures.md",
            Rejected: "see docs/operations/failures.md: a retry does not help",
        }
        return replace(finding, remedy=remedies.get(finding.error, self.outage))


def pass_start(checks: Iterable[Check], advise: Callable[[str], None]) -> None:
    """Run what a task checks before it takes a lease, and advise of every finding that is not ok. Raise the first failure."""
    for check in checks:
        try:
            finding = check.at_start() if check.at_start else ok("")
        except NotChecked:
            continue
        if finding.error:
            raise finding.error(str(finding))
        if finding.state is not State.OK:
            advise(str(finding))
