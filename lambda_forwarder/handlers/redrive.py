"""
Redrive: publish again what was parked and what became a dead letter. A Lambda function for a schedule, and a command.

    python -P -m lambda_forwarder redrive [--parking URL] [--dead-letters URL] [--limit N] [--seconds S] [--dry-run]
        [--discard-unmapped] [--discard-stubs] [--ended] [--json]
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import inf
from typing import Any

import msgspec

from lambda_forwarder.app import forwarder, run_checks, time_left
from lambda_forwarder.aws.clients import client
from lambda_forwarder.errors import ForwarderError, Misconfigured
from lambda_forwarder.metrics.emf import shown
from lambda_forwarder.metrics.metrics import Metrics
from lambda_forwarder.redriving.backlog import Shelf, dead_letter_shelf, parking_shelf
from lambda_forwarder.redriving.reader import SHARE
from lambda_forwarder.redriving.redriver import EVERYTHING, Redriver
from lambda_forwarder.redriving.report import Mention, Report
from lambda_forwarder.redriving.sqs import SqsBacklog
from lambda_forwarder.settings import read_settings
from tailrace.text.legible import indented, legible

SECONDS = 900.0  # that the command works for unless told otherwise
DONE, LEFT, UNUSABLE = 0, 1, 2


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """
    Redrive until nothing is left or the invocation's time is up; answer the report. What the event says does not matter.

    Raises:
        Misconfigured: all that is wrong, at once, and nothing was touched; or a bus that is gone.
    """
    through = redriver()
    with shown(through.forwarder.metrics):
        response: dict[str, Any] = msgspec.to_builtins(through.redrive(time_left(context)))
    return response


@cache
def redriver(parking: str | None = None, dead_letters: str | None = None) -> Redriver:
    """
    The redriver that the environment asks for, unless told of other queues.

    Raises:
        Misconfigured: all that is wrong, at once.
    """
    settings = read_settings()
    through = replace(
        forwarder(), metrics=Metrics(settings.emf_namespace or "", streams=settings.streams)
    )  # what waited tells nothing of how fast we are
    sqs = client("sqs")
    parked = SqsBacklog(sqs, parking or settings.parking_queue_url, "FORWARDER_PARKING_QUEUE_URL")
    dead_url = dead_letters or settings.dead_letter_queue_url
    through = replace(through, room=through.room * SHARE // (SHARE + 1))  # for one message, beside what is read already
    shelves: list[Shelf] = [parking_shelf(parked, through.claims, room=through.room)]
    backlogs = [parked] if parking else []  # that of the settings is looked at by the forwarder
    if dead_url == parked.queue_url:
        raise Misconfigured(
            "FORWARDER_DEAD_LETTER_QUEUE_URL: it is the parking queue; set it to the tailer's dead-letter queue"
        )
    if dead_url:
        backlogs.append(SqsBacklog(sqs, dead_url, "FORWARDER_DEAD_LETTER_QUEUE_URL"))
        shelves.append(dead_letter_shelf(backlogs[-1], through.room))
    run_checks(backlog.check for backlog in backlogs)
    return Redriver(forwarder=through, shelves=shelves)


def add_command(commands: Any) -> None:
    """Add ``redrive`` to the parser of the command line."""
    parser = commands.add_parser("redrive", help="publish parked changes and dead letters again")
    parser.add_argument("--parking", metavar="URL", help="the parking queue (default: FORWARDER_PARKING_QUEUE_URL)")
    parser.add_argument(
        "--dead-letters", metavar="URL", help="the dead-letter queue (default: FORWARDER_DEAD_LETTER_QUEUE_URL)"
    )
    parser.add_argument("--limit", type=_more_than_none(int), default=EVERYTHING, metavar="N", help="take at most N messages")
    parser.add_argument(
        "--seconds",
        type=_more_than_none(float),
        default=SECONDS,
        metavar="S",
        help="start no new work after S seconds (default: %(default)g)",
    )
    parser.add_argument("--dry-run", action="store_true", help="publish, park and remove nothing; report what would be done")
    parser.add_argument(
        "--discard-unmapped",
        action="store_true",
        help="apply the mappers here to changes that other mappers parked; remove and report those that no mapper reads",
    )
    parser.add_argument(
        "--discard-stubs",
        action="store_true",
        help="remove and report the parked changes that the tailer could not read",
    )
    parser.add_argument(
        "--ended", action="store_true", help="also publish parked changes that ended the function; they may end this command"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def command(options: argparse.Namespace) -> int:
    """
    Redrive once and print the report. 0: nothing is left to do; 1: something stays or was parked, or a queue failed;
    2: misconfigured.
    """
    end = time.monotonic() + options.seconds
    if options.mappers is not None:
        return _failed(
            "--mappers: redrive uses the mappers of the deployed function; set FORWARDER_MAPPERS instead",
            UNUSABLE,
        )
    try:
        through = redriver(options.parking, options.dead_letters)
        if options.ended:
            through = replace(through, shelves=[_with_ended(shelf, through) for shelf in through.shelves])
        done = through.redrive(
            lambda: end - time.monotonic(),
            options.limit,
            dry_run=options.dry_run,
            discard_unmapped=options.discard_unmapped,
            discard_stubs=options.discard_stubs,
        )
    except ForwarderError as error:
        return _failed(str(error), UNUSABLE if isinstance(error, Misconfigured) else LEFT)
    told = msgspec.json.encode(done).decode() if options.json else _text(done)
    print(legible(told, lines=True))  # noqa: T201 - what the command is asked for
    return LEFT if done.left or done.parked else DONE


def _with_ended(shelf: Shelf, through: Redriver) -> Shelf:
    forwarder = through.forwarder
    return parking_shelf(shelf.backlog, forwarder.claims, ended=True, room=forwarder.room) if shelf.parked else shelf


def _more_than_none(kind: type[int] | type[float]) -> Callable[[str], float]:
    def number(text: str) -> float:
        if not 0 < (value := kind(text)) < inf:
            raise argparse.ArgumentTypeError(f"{text} is not a finite number above 0")
        return value

    return number


def _failed(why: str, code: int) -> int:
    told = indented(legible(f"redrive: {why}", lines=True))
    print(told, file=sys.stderr)  # noqa: T201 - for the person at the keyboard
    return code


def _text(done: Report) -> str:
    lines = [", ".join(f"{name} {number}" for name, number in done.counts.items())]
    removed = "would be removed" if done.dry_run else "removed"
    lines += (f"{removed} from {_mentioned(one)}" for one in done.removals)
    lines += (f"left in {_mentioned(one)}" for one in done.leftovers)
    if more := done.unpublished + done.left - len(done.removals) - len(done.leftovers):
        lines.append(f"and {more} more")
    return "\n".join([*lines, *(["dry run: nothing was published, parked or removed"] if done.dry_run else [])])


def _mentioned(one: Mention) -> str:
    return legible(f"{one.queue}: {one.document or one.message_id} #{one.sequence}: {one.reason}")
