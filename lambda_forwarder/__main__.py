"""The command line ``python -P -m lambda_forwarder``: try a change, write the event catalogue, redrive."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lambda_forwarder import redrive_command
from lambda_forwarder.catalogue import catalogue
from lambda_forwarder.errors import ForwarderError, Misconfigured
from lambda_forwarder.logs import make_legible
from lambda_forwarder.other_server import SERVERS, reported_by
from lambda_forwarder.settings import OFF, Settings, problem
from lambda_forwarder.trial import KINDS, Trial, as_sample, as_text, read, received, tried, verdict
from tailrace.message import ChangeMessage
from tailrace.text.legible import legible
from tailrace.text.parser import Parser
from tailrace.text.terminal import announced, complain, program, say
from tailrace.version import __version__
from tailrace.wire.message import UnreadableMessage

DONE, ATTENTION, UNUSABLE = 0, 1, 2
MODULE = "python -P -m lambda_forwarder"
TRY_EXAMPLES = """examples:
  {program} try sample.json
  {program} try --as documentdb-5.0 sample.json
  {program} try --queue https://sqs.eu-west-1.amazonaws.com/123456789012/tailrace-changes.fifo"""
EXIT_CODES = """

exit codes:
  0  success
  1  a change was or would be parked, stays in its queue or has no mapper; a schema would break consumers or is not up to date
  2  the input or the configuration cannot be used"""
EXAMPLES = TRY_EXAMPLES + "\n  {program} redrive --dry-run" + EXIT_CODES


def main(arguments: list[str] | None = None, name: str = MODULE, by: str = "") -> int:
    """
    Run the command and return its exit code, which ``EXAMPLES`` lists. ``name`` is the program's name in its help, and ``by``
    the command that reports errors, by default that of the arguments.
    """
    make_legible()
    options = _parser(name).parse_args(arguments)
    by = by or f"{name.rpartition(' ')[2]} {options.command}"
    if options.command == "try" and options.sample is None and options.queue is None:
        options.wrong(f"name what to try: a file with {KINDS}, - for standard input, or --queue URL")
    if options.command == "redrive":
        return redrive_command.command(options, by=by)
    try:
        with announced("importing the mappers; Ctrl-C ends the command"):
            settings = _settings(options.mappers)
        if options.command == "catalogue":
            run = catalogue.check if options.check else catalogue.write
            problems = run(settings.mappers, options.schemas, options.events, options.samples)
            for found in problems:
                complain(found, by)
            return ATTENTION if problems else DONE
        given = _given(options)
        messages = reported_by(options.server, given, settings.mappers) if options.server else given
        trials = [trial for message in messages for trial in tried(message, settings.mappers, settings.source)]
    except OSError as error:
        complain(f"{error.filename} cannot be read or written: {error.strerror}", by)
        return UNUSABLE
    except (ForwarderError, UnreadableMessage, UnicodeDecodeError) as error:
        complain(str(error), by)
        return UNUSABLE
    _print(trials, as_json=options.json, by=by)
    return ATTENTION if any(trial.parked or trial.unmapped for trial in trials) else DONE


def _parser(name: str = MODULE) -> Parser:
    examples = EXAMPLES.format(program=name)
    parser = Parser(
        prog=name,
        description="Show the events that a change would produce, write the catalogue of all events,\n"
        "or publish parked changes and dead letters again.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lambda_forwarder {__version__}")
    parser.add_argument("--mappers", metavar="MODULE:ATTRIBUTE", help="the mapper table (default: FORWARDER_MAPPERS)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    attempt = commands.add_parser(
        "try",
        help="show the events that a change would produce; publish nothing",
        epilog=TRY_EXAMPLES.format(program=name) + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    given = attempt.add_mutually_exclusive_group()
    given.add_argument("sample", nargs="?", metavar="SAMPLE.json", help=f"{KINDS}; - reads standard input")
    given.add_argument("--queue", metavar="URL", help="read up to 10 messages of an SQS queue and leave them in it")
    attempt.add_argument("--json", action="store_true", help="print the events as JSON, as the samples have them")
    attempt.add_argument(
        "--as", dest="server", choices=[*SERVERS], help="try the changes as this server would report them, without images"
    )
    attempt.set_defaults(wrong=attempt.error)
    write = commands.add_parser(
        "catalogue", help="write the page and the schemas of all events, unless a change would break consumers"
    )
    write.add_argument(
        "--schemas", type=Path, default=Path("schemas"), metavar="FOLDER", help="where the schemas are (default: %(default)s)"
    )
    write.add_argument("--events", type=Path, default=Path("events.md"), metavar="FILE", help="the page (default: %(default)s)")
    write.add_argument(
        "--samples",
        type=Path,
        default=Path("samples"),
        metavar="FOLDER",
        help="where the samples for the page are (default: %(default)s)",
    )
    write.add_argument(
        "--check", action="store_true", help="write nothing; report breaking changes and files that would change"
    )
    redrive_command.add_command(commands)
    return parser


def _settings(mappers: str | None) -> Settings:
    """Read the settings. ``try`` and ``catalogue`` use only mappers and source; other required settings get placeholders."""
    given: dict[str, Any] = {"event_bus": "none", "parking_queue_url": "http://none/none", "watermarks": OFF} | (
        {} if mappers is None else {"mappers": mappers}
    )
    try:
        return Settings(**given)
    except ValidationError as error:
        text = "\n".join(map(problem, error.errors()))
        raise Misconfigured(text if mappers is None else text.replace("FORWARDER_MAPPERS", "--mappers", 1)) from None


def _given(options: argparse.Namespace) -> Iterator[ChangeMessage]:
    if options.queue is not None:
        return received(options.queue)
    return read(sys.stdin.read() if options.sample == "-" else Path(options.sample).read_text("utf-8-sig"))


def _print(trials: list[Trial], *, as_json: bool, by: str) -> None:
    if as_json:
        samples = [as_sample(entry) for trial in trials for entry in trial.entries]
        parked = [f"{verdict(parked)}: {parked.reason}" for trial in trials for parked in trial.parked]
        for warning in (*parked, *(trial.unmapped for trial in trials if trial.unmapped)):
            complain(warning, by)
        say(json.dumps(samples[0] if len(samples) == 1 else samples, indent=2, ensure_ascii=False))
    else:
        for line in (line for trial in trials for line in as_text(trial)):
            say(legible(line))
    if not trials:
        complain("the input contains no change", by)


if __name__ == "__main__":
    sys.exit(program(main))
