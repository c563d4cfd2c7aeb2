"""``python -P -m benchmarks``: the speed of the tailer on this machine, compared with a floor and with a naive loop."""

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version

from benchmarks import table
from benchmarks.race import Race
from benchmarks.results import Round
from tailrace.dev.screen import Screen
from tailrace.dev.workspace import StartFailed
from tailrace.text.legible import legible

STEPS = 20_000  # changes between two signs of life
ENOUGH = 90.0  # seconds; a round that has begun is finished


def main(arguments: list[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    quick = chosen.quick
    changes = chosen.changes or (2_000 if quick else 60_000)
    rounds = chosen.rounds or (1 if quick else 5)
    try:
        bench(Screen(), changes, rounds, seconds=0.5 if quick else 3.0, singles=20 if quick else 200)
    except StartFailed as failure:
        print(f"\n{legible(str(failure), lines=True)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def bench(screen: Screen, changes: int, rounds: int, *, seconds: float, singles: int) -> None:
    """Measure and print. The naive loop runs for at most ``seconds``. ``singles`` writes measure the latency."""
    screen.step("starting mongod and the responder")
    with Race(seconds) as race:
        screen.step(f"writing {changes:,} changes")
        race.prepare(changes, lambda written: None if written % STEPS else screen.step(f"  {written:,}", "dim"))
        screen.step("the contenders, one after the other, each in a process of its own")
        run = list(_rounds(screen, race, rounds))
        screen.step(f"{singles} single changes while the tailer is idle")
        latencies = race.latencies(singles)
        server = race.mongod_version
    for line in ("", *table.speed(run), "", *table.cost(run), "", table.latency(latencies), "", _machine(server)):
        screen.line(line)


def _rounds(screen: Screen, race: Race, rounds: int) -> Iterator[Round]:
    for number in range(1, rounds + 1):
        if number > 1 and screen.elapsed > ENOUGH:
            screen.step(f"  no more rounds after {ENOUGH:g} s", "dim")
            return
        one = race.round()
        rates = f"floor {one.floor.rate:,.0f}, tailer {one.tailer.rate:,.0f}, naive {one.naive.rate:,.0f}"
        screen.step(f"  round {number} of {rounds}: {rates}", "dim")
        yield one


def _machine(server: str) -> str:
    machine = f"{os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}, mongod {server}"
    return f"measured on {machine}, pymongo {version('pymongo')}, boto3 {version('boto3')}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -P -m benchmarks", description=__doc__)
    parser.add_argument("--changes", type=_positive, help="how long the backlog is (60,000; with --quick 2,000)")
    parser.add_argument("--rounds", type=_positive, help="how often everybody runs (5; with --quick 1)")
    parser.add_argument("--quick", action="store_true", help="a quick check that it works; its results say little")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
