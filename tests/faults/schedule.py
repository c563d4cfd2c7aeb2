"""Which faults, in which order and how far apart, all derived from a seed, so that the seed replays them."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

FULL: Mapping[str, int] = {
    "kill": 200,  # SIGKILL of the tailer that holds the lease
    "kill_all": 10,  # every tailer at once
    "stop": 12,  # SIGTERM, as a deployment does
    "zombie": 22,  # SIGSTOP for longer than the lease, then SIGCONT
    "crash_primary": 12,  # kill -9 of the primary, which restarts with its data
    "step_down": 12,
    "mongodb_cut": 12,
    "mongodb_slow": 8,
    "mongodb_silent": 6,  # half-open connections
    "aws_cut": 12,
    "aws_slow": 8,
    "aws_silent": 6,
    "throttle": 100,
    "partial": 160,
    "denied": 60,  # accepted, and reported as failed
    "unanswered": 60,  # accepted, and the response is lost
    "failed_after": 40,  # accepted, with an error as the response
    "hung": 3,  # accepted, without a response
    "store_throttle": 40,
    "store_unanswered": 40,
    "restart_aws": 5,
    "import": 24,  # no fault: thousands of changes at once, so that lanes fill several messages
}
"""A whole run: how often each kind happens."""
FULL_CHANGES = 200_000
SHORT: Mapping[str, int] = {
    "kill": 3,
    "zombie": 1,
    "crash_primary": 1,
    "step_down": 1,
    "mongodb_cut": 1,
    "aws_cut": 1,
    "aws_slow": 1,
    "throttle": 4,
    "partial": 8,
    "denied": 4,
    "unanswered": 4,
    "store_unanswered": 4,
    "import": 2,
}
"""What every test run does."""
CALLS = {"throttle", "partial", "denied", "unanswered", "failed_after", "store_throttle", "store_unanswered"}
_CALLS_AT_ONCE = 4  # this many in a row
_PAUSE = (0.0, 0.8)  # seconds before a fault


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault, ``pause`` seconds after the previous one; ``strength`` from 0 to 1 is how long or how strong it is."""

    kind: str
    pause: float
    strength: float
    calls: int = 1


def scaled(counts: Mapping[str, int], factor: float, only: Iterable[str] = ()) -> dict[str, int]:
    """Return the same mixture in another amount: at least one of each kind, and only of the kinds in ``only``."""
    wanted = set(only) or set(counts)
    if unknown := wanted - set(FULL):
        raise ValueError(f"there is no fault {', '.join(sorted(unknown))}; there are {', '.join(FULL)}")
    return {kind: max(1, round(count * factor)) for kind, count in counts.items() if kind in wanted}


def schedule(seed: int, counts: Mapping[str, int]) -> list[Fault]:
    """Return the same schedule for the same seed and counts, on every machine."""
    chance = random.Random(seed)
    kinds = [kind for kind, count in counts.items() for _ in range(_steps(kind, count))]
    chance.shuffle(kinds)
    left = Counter(counts)
    faults = []
    for kind in kinds:
        calls = min(_CALLS_AT_ONCE, left[kind]) if kind in CALLS else 1
        left[kind] -= calls
        faults.append(Fault(kind=kind, pause=chance.uniform(*_PAUSE), strength=chance.random(), calls=calls))
    return faults


def _steps(kind: str, count: int) -> int:
    return -(-count // _CALLS_AT_ONCE) if kind in CALLS else count
