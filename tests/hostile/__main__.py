"""``python -P -m tests.hostile``: the table of hostile documents, messages and records, and the outcome of each."""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any

from tailrace.dev.screen import Screen
from tailrace.dev.workspace import StartFailed
from tests.hostile.bench import LIMIT, Bench
from tests.hostile.documents import DOCUMENTS
from tests.hostile.memory_group import MB, unavailable
from tests.hostile.messages import MESSAGES
from tests.hostile.outcome import Outcome, problems
from tests.hostile.records import RECORDS
from tests.hostile.stage import Stage

WORDS = 100  # characters of an outcome
HEAD = f"{'':55} {'tailer':>6} {'function':>8}  {'beside':<12} what became of it"


def main(arguments: list[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    screen = Screen()
    why = unavailable()
    screen.line(
        f"{LIMIT // MB} MB for the tailer and for the function" + (f", which nothing enforces here: {why}" if why else "")
    )
    wrong = 0
    try:
        for kind in chosen.kinds or KINDS:
            wrong += _table(screen, kind, chosen.only)
    except StartFailed as failure:
        screen.line(f"\n{failure}")
        return 1
    screen.step(
        f"{wrong} entries are not as they must be" if wrong else "every entry is as it must be", "red" if wrong else "green"
    )
    return int(wrong > 0)


def _table(screen: Screen, kind: str, only: str) -> int:
    """Return how many entries have a wrong outcome."""
    entries, opened = KINDS[kind]
    chosen = {name: (number, entry) for number, (name, entry) in enumerate(entries.items()) if only in name}
    if not chosen:
        return 0
    screen.step(f"{len(chosen)} {kind}")
    screen.line(HEAD)
    with opened() as stage:
        follow: Callable[[int, Any], Outcome] = getattr(stage, FOLLOWED[kind])
        return sum(_row(screen, name, entry, follow(number, entry)) for name, (number, entry) in chosen.items())


def _row(screen: Screen, name: str, entry: Any, outcome: Outcome) -> bool:
    """Return whether the entry has a wrong outcome."""
    found = list(problems(entry.expected, outcome, getattr(entry, "operations", ())))
    tailer = f"{outcome.tailer / MB:.0f} MB" if outcome.tailer else ""
    screen.line(f"{name:55} {tailer:>6} {outcome.function / MB:5.0f} MB  {outcome.innocent:12} {outcome.words()[:WORDS]}")
    for problem in found:
        screen.line(f"    {problem}", "red")
    return bool(found)


KINDS: Mapping[str, tuple[Mapping[str, Any], type[Bench]]] = {
    "documents": (DOCUMENTS, Stage),
    "messages": (MESSAGES, Bench),
    "records": (RECORDS, Bench),
}
FOLLOWED = {"documents": "write", "messages": "send", "records": "stream"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -P -m tests.hostile", description=__doc__)
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="all of them, unless some are named")
    parser.add_argument("--only", default="", metavar="TEXT", help="entries with this text in their names")
    return parser


if __name__ == "__main__":
    sys.exit(main())
