"""How long a stream is interrupted when its tailer is killed, and when it is stopped."""

import random
import statistics
import time
from collections.abc import Callable

from tailrace.dev.screen import Screen
from tailrace.dev.tailer import TailerProcess
from tests.faults.show import Show
from tests.faults.stage import OWNER_SECONDS, Stage

PACE = 200.0  # changes a second, so that there is always a change in transit
SETTLED = (2.0, 3.0)  # seconds before the next one, at a random point between two renewals of the lease
ALLOWED = 2.0  # seconds more than the lease


def main(screen: Screen, seed: int, runs: int, lease: float) -> int:
    """Measure both, ``runs`` times each. The exit code is 0 only if every takeover was in time and nothing was lost."""
    chance = random.Random(seed)
    with Stage(chance, members=1, lease=lease) as stage:
        show = Show(stage, seed, screen, PACE)
        metrics: dict[str, list[float]] = {"kill": [], "stop": []}
        show.begin()
        for _ in range(runs):
            metrics["kill"].append(_measure(show, chance, stage.kill))
            metrics["stop"].append(_measure(show, chance, stage.stop))
        verdict = show.conclude(0)
    for name, times in metrics.items():
        worst, middle = max(times), statistics.median(times)
        screen.line(f"  {name}: {len(times)} runs, lease {lease:g} s, median {middle:.2f} s, maximum {worst:.2f} s")
    for line in verdict.lines():
        screen.line(line)
    return int(not verdict.holds or max(metrics["kill"]) > lease + ALLOWED)


def _measure(show: Show, chance: random.Random, blow: Callable[[TailerProcess], object]) -> float:
    """Return the seconds from the kill or stop to the first change that the queue accepted from another tailer."""
    stage, witness, sends = show.stage, show.stage.aws.witness, show.stage.aws.sends
    show.until(lambda: stage.owner is not None and len(stage.tailers) == 2, OWNER_SECONDS, "an owner and a spare")
    show.wait(stage.lease + chance.uniform(*SETTLED))
    owner, name = stage.owner, witness.owner
    assert owner
    began = time.monotonic()
    blow(owner)
    show.until(lambda: witness.owner not in ("", name), OWNER_SECONDS, "another owner")
    show.until(lambda: sends[-1][0] >= witness.since, OWNER_SECONDS, "a change from it")
    return next(done for came, done in list(sends) if came >= witness.since) - began
