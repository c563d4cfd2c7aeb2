"""``python -P -m tests.faults``: the fault suite."""

import argparse
import random
import sys
import time
from pathlib import Path

from devstack.documentdb.profiles import profile
from devstack.documentdb.servers import MONGODB, chosen_server
from infra.package import REPOSITORY
from tailrace.dev.screen import Screen
from tailrace.dev.workspace import StartFailed
from tests.faults import history, mutations, path, scan, takeover
from tests.faults.faults import perform
from tests.faults.schedule import FULL, FULL_CHANGES, scaled, schedule
from tests.faults.show import NeverCame, Show
from tests.faults.stage import Stage

PACE = 250.0  # changes a second, without the imports
PATH = (3_000, 60, 20)  # payments, failures of the function and SIGKILLs in a full run of the whole path
FULL_MINUTES = 20.0  # about what a full run takes


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if (server := chosen_server()) != MONGODB and profile(server).values["update_description"] == "absent":
        parser.error(f"SERVER={server} describes no update, so nothing shows which write an event is about; choose another")
    screen = Screen()
    try:
        match chosen.command:
            case "mutations":
                return mutations.main(screen, chosen.seed)
            case "takeover":
                return takeover.main(screen, chosen.seed, chosen.runs, chosen.lease)
            case "scan":
                return scan.main(screen, chosen.seconds)
            case _:
                return _run(screen, chosen) or _run_separate_stages(screen, chosen)
    except (StartFailed, NeverCame, ValueError) as failure:
        screen.line(f"\n{failure}")
        return 1
    except KeyboardInterrupt:
        return 130


def _run(screen: Screen, chosen: argparse.Namespace) -> int:
    changes = chosen.changes or round(FULL_CHANGES * chosen.minutes / FULL_MINUTES)
    counts = scaled(FULL, changes / FULL_CHANGES, chosen.only)
    screen.step(f"seed {chosen.seed}: {sum(counts.values())} faults, {changes:,} changes")
    began = time.monotonic()
    with Stage(random.Random(chosen.seed + 2), source=chosen.source) as stage:
        show = Show(stage, chosen.seed, screen, PACE)
        try:
            verdict = perform(show, schedule(chosen.seed, counts), changes)
        except BaseException:
            screen.line(f"logs: {stage.keep_logs()}; seed {chosen.seed}")
            raise
        screen.step(f"over after {(time.monotonic() - began) / 60:.1f} minutes")
        for kind, count in sorted(show.counts.items()):
            screen.line(f"  {count:6} {kind}")
        for line in verdict.lines():
            screen.line(line)
        if not verdict.holds:
            screen.line(f"seed {chosen.seed} replays it; the logs are in {stage.keep_logs()}")
        return int(not verdict.holds)


def _run_separate_stages(screen: Screen, chosen: argparse.Namespace) -> int:
    """Run the faults that need a stage of their own: the whole path, and expired history."""
    if chosen.only:
        return 0
    factor = (chosen.changes or FULL_CHANGES * chosen.minutes / FULL_MINUTES) / FULL_CHANGES
    payments, failures, kills = (max(2, round(factor * count)) for count in PATH)
    code = path.main(screen, chosen.seed, payments, failures, kills)
    return history.main(screen, chosen.seed, chosen.source) or code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -P -m tests.faults", description="Break everything; lose nothing.")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="replays a schedule (default: a new one)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=FULL_MINUTES, help="about how long (default: %(default)g)")
    length.add_argument("--changes", type=int, help="how many changes; the faults in proportion")
    parser.add_argument("--only", type=lambda text: text.split(","), default=(), metavar="KIND,…", help=f"of {', '.join(FULL)}")
    parser.add_argument("--source", type=Path, default=REPOSITORY, help="the tailer's code, another version's for example")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("mutations", help="break each guarantee on purpose and show that the suite notices")
    measured = commands.add_parser("takeover", help="how long until a spare delivers, after a kill and after a stop")
    measured.add_argument("--runs", type=int, default=20)
    measured.add_argument("--lease", type=float, default=1.0, help="seconds")
    slow = commands.add_parser("scan", help="a server that looks through history for minutes before it answers a resume")
    slow.add_argument("--seconds", type=float, default=300.0, help="how long (default: %(default)g)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
