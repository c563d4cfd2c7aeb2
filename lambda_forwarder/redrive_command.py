"""The command ``redrive``: publish parked changes and dead letters again, and print the report."""

import argparse
import time
from collections.abc import Callable
from math import inf
from typing import Any

import msgspec

from lambda_forwarder import app
from lambda_forwarder.errors import ForwarderError, Misconfigured
from lambda_forwarder.redriving.reader import EVERYTHING, Options
from lambda_forwarder.redriving.redriver import Redriver
from tailrace.text.terminal import complain, say

EXAMPLES = """examples:
  tailrace redrive --dry-run
  tailrace redrive --limit 100 --seconds 600"""
SECONDS = 900.0  # the default of --seconds
DONE, LEFT, UNUSABLE = 0, 1, 2


def add_command(commands: Any) -> None:
    """Add ``redrive`` to the parser of the command line."""
    parser = commands.add_parser(
        "redrive",
        help="publish parked changes and dead letters again",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--parking", metavar="URL", help="the parking queue (default: FORWARDER_PARKING_QUEUE_URL)")
    parser.add_argument(
        "--dead-letters", metavar="URL", help="the dead-letter queue (default: FORWARDER_DEAD_LETTER_QUEUE_URL)"
    )
    parser.add_argument("--limit", type=_positive(int), default=EVERYTHING, metavar="N", help="take at most N messages")
    parser.add_argument(
        "--seconds",
        type=_positive(float),
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


def command(arguments: argparse.Namespace, build: Callable[..., Redriver] = app.redriver, *, by: str = "redrive") -> int:
    """
    Redrive once and print the report. ``build`` returns the redriver for the queues that the arguments name. Return 0 if
    nothing is left, 1 if messages stay, changes were parked or a queue failed, and 2 if the configuration cannot be used.
    ``by`` is the command that reports errors.
    """
    end = time.monotonic() + arguments.seconds
    if arguments.mappers is not None:
        complain("--mappers: redrive uses the mappers of the deployed function; set FORWARDER_MAPPERS instead", by)
        return UNUSABLE
    options = Options(
        limit=arguments.limit,
        dry_run=arguments.dry_run,
        discard_unmapped=arguments.discard_unmapped,
        discard_stubs=arguments.discard_stubs,
    )
    try:
        redriver = build(parking=arguments.parking, dead_letters=arguments.dead_letters, ended=arguments.ended)
        report = redriver.redrive(lambda: end - time.monotonic(), options)
    except ForwarderError as error:
        complain(str(error), by)
        return UNUSABLE if isinstance(error, Misconfigured) else LEFT
    say(msgspec.json.encode(report).decode() if arguments.json else "\n".join(report.lines))
    return LEFT if report.left or report.parked else DONE


def _positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    def number(text: str) -> float:
        if not 0 < (value := kind(text)) < inf:
            raise argparse.ArgumentTypeError(f"{text} is not a finite number above 0")
        return value

    return number
