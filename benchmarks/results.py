"""The task of a contender, its measurements, and comparisons of runs."""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from msgspec import Struct

DATABASE, COLLECTION = "payments", "payments"


class Course(Struct, frozen=True, kw_only=True):
    """The same for every contender: the first ``changes`` changes from cluster time ``begin``, or ``seconds`` of them."""

    mongodb_uri: str
    queue_url: str
    begin: str
    changes: int
    seconds: float


class Run(Struct, frozen=True, kw_only=True):
    """
    One run of one contender. ``cpu`` is in seconds, ``sent`` and ``peak`` in bytes. ``accepted`` says of every change when its
    sender knew that it was accepted, on the machine's monotonic clock.
    """

    changes: int
    seconds: float
    cpu: float
    peak: int
    calls: int = 0
    messages: int = 0
    sent: int = 0
    accepted: tuple[float, ...] = ()

    @property
    def rate(self) -> float:
        """Return the changes per second."""
        return self.changes / self.seconds


class Meter:
    """Starts when it is created. The CPU time is that of all threads of this process."""

    def __init__(self) -> None:
        self._began, self._cpu = time.monotonic(), time.process_time()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def run(self, changes: int, *, calls: int = 0, messages: int = 0, sent: int = 0, accepted: Sequence[float] = ()) -> Run:
        cpu = time.process_time() - self._cpu
        sums = {"calls": calls, "messages": messages, "sent": sent}
        return Run(changes=changes, seconds=self.seconds, cpu=cpu, peak=_peak(), accepted=tuple(accepted), **sums)


def _peak() -> int:
    """Return the peak memory of this process, in bytes. On Linux ``ru_maxrss`` includes the parent's peak."""
    if sys.platform == "linux":
        return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A value over all rounds. The distance from ``least`` to ``most`` is noise of the machine."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        return cls(median=statistics.median(values), least=min(values), most=max(values))


@dataclass(frozen=True, kw_only=True)
class Round:
    """One run of each contender, one after another. Only runs of the same round are compared."""

    floor: Run
    tailer: Run
    naive: Run


def rates(rounds: Sequence[Round], of: Callable[[Round], Run]) -> Spread:
    """Return the changes per second of a contender."""
    return Spread.of([of(each).rate for each in rounds])


def ratios(rounds: Sequence[Round], of: Callable[[Round], Run], to: Callable[[Round], Run]) -> Spread:
    """Return the rate of a contender divided by the rate of another, for each round."""
    return Spread.of([of(each).rate / to(each).rate for each in rounds])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)]
