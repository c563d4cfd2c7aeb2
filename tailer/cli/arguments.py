"""The commands, their options, and the help that teaches them."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping
from typing import Any

from tailer.cli import commands, enabling
from tailer.cli.help import examples, paragraphs, settings_by_group
from tailer.doctor.command import doctor, unsettled
from tailrace.version import __version__

EXIT_CODES = (
    "exit codes: 0 stopped as asked, 2 misconfigured, 3 history lost, 4 rejected by the queue for good, 130 interrupted, "
    "1 anything else."
)
_SETTINGS = "Settings are read from environment variables and from a file .env in the current folder."
_STOP = """After SIGTERM or SIGINT the task finishes the batch in flight, saves the checkpoint, releases the lease and ends
within 20 seconds. A call that hangs for longer is abandoned, as in a crash: nothing is lost."""
_DOCTOR = """It connects to everything with the settings of tailer run and prints one line for each check: ok, FAIL, warn or
skip, with the remedy. It takes no lease, sends no message and consumes nothing. Its exit code is the one tailer run would end
with: 0 without a FAIL."""
_TO = "beginning (the oldest history there is), an RFC 3339 time, or a resume token"
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "tailer": ("tailer doctor", "tailer run", "tailer status --json", "tailer run --help"),
    "run": ("tailer run", "tailer run --stream payments"),
    "status": ("tailer status", "tailer status --stream payments --json"),
    "doctor": ("tailer doctor", "tailer doctor --json"),
    "show": ("tailer checkpoint show", "tailer checkpoint show --json"),
    "seed": ("tailer checkpoint seed --to 2026-11-22T12:12:00Z --dry-run",),
    "rewind": ("tailer checkpoint rewind --to 2026-11-22T12:12:00Z --dry-run", "tailer checkpoint rewind --to beginning"),
    "accept-gap": ('tailer checkpoint accept-gap --why "restored from the backup of Monday"',),
    "skip": ('tailer checkpoint skip 8265F2A1C0000000011270 --why "a document of a test, nobody needs it"',),
    "accept-settings": ("tailer checkpoint accept-settings --dry-run",),
    "enable": (
        "tailer change-streams enable --dry-run",
        "tailer change-streams enable --reader arn:aws:iam::123456789012:role/tailer",
    ),
    "disable": ("tailer change-streams disable --dry-run",),
}
"""By command, each as it is typed; the last word of a command names it."""


def parser(run: Any) -> ArgumentParser:
    """The parser of ``tailer``; ``command`` of what it parses is the function to call."""
    top = ArgumentParser(
        prog="tailer",
        description="Tails MongoDB or DocumentDB change streams into an SQS FIFO queue.",
        epilog=_epilog("tailer"),
        formatter_class=RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"tailer {__version__}")
    all_of_them = top.add_subparsers(required=True, metavar="COMMAND", title="commands")
    _command(all_of_them, "run", run, "tail the stream until SIGTERM", _SETTINGS, _STOP, settings=True)
    status = _command(all_of_them, "status", commands.status, "who tails each stream, how far behind, how much history is left")
    status.add_argument("--json", action="store_true", help="for scripts")
    look = _command(
        all_of_them, "doctor", doctor, "check everything a tailer needs, and name the remedy for what fails", _DOCTOR
    )
    look.add_argument("--json", action="store_true", help="for scripts: one object, at the end")
    look.set_defaults(unsettled=unsettled)
    checkpoint = all_of_them.add_parser("checkpoint", help="show a stream's position, or decide where it goes on")
    subcommands = checkpoint.add_subparsers(required=True, metavar="COMMAND", title="commands")
    show = _command(subcommands, "show", commands.show, "the stored record of each stream")
    show.add_argument("--json", action="store_true", help="for scripts")
    _subcommand(subcommands, "seed", commands.seed, "give a stream that has none its first checkpoint").add_argument(
        "--to", required=True, help=_TO
    )
    _subcommand(
        subcommands, "rewind", commands.rewind, "deliver everything after a position again, as a new generation"
    ).add_argument("--to", required=True, help=_TO)
    gap = _subcommand(
        subcommands, "accept-gap", commands.accept_gap, "continue after lost history; the gap is recorded and published"
    )
    gap.add_argument("--why", required=True, metavar="REASON", help="the reason: recorded, and published to every consumer")
    gap.add_argument("--by", metavar="WHO", help="who accepts it (default: the user who runs this)")
    gap.add_argument("--to", help=f"where to go on: {_TO} (default: the oldest history there is, else now)")
    skip = _subcommand(subcommands, "skip", commands.skip, "skip the change that stops a stream; recorded and published")
    skip.add_argument("change", metavar="TOKEN", help="the change, as the problem names it (tailer status)")
    skip.add_argument("--why", required=True, metavar="REASON", help="the reason: recorded, and published to every consumer")
    skip.add_argument("--by", metavar="WHO", help="who skips it (default: the user who runs this)")
    accept = _subcommand(
        subcommands, "accept-settings", commands.accept_settings, "continue with the current settings, as a new generation"
    )
    accept.add_argument("--anyway", action="store_true", help="even if messages wait in the queue")
    _subcommand(
        subcommands,
        "accept-cluster",
        commands.accept_cluster,
        "continue at the same position in another cluster's history, as a new generation. Changes that only the former cluster "
        "committed after it are not delivered, and changes that both have may be delivered again",
    )
    _change_streams(all_of_them)
    return top


def _change_streams(parsers: Any) -> None:
    parser = parsers.add_parser("change-streams", help="what DocumentDB keeps for the streams: show, enable or disable it")
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    show = _command(subcommands, "show", enabling.show, "what each stream needs, and whether it is enabled")
    show.add_argument("--json", action="store_true", help="for scripts")
    for name, command, summary, reader in (
        (
            "enable",
            enabling.enable,
            "enable what the streams need (DocumentDB; needs the right to modify change streams)",
            "give it read access to the streams, and no more",
        ),
        ("disable", enabling.disable, "disable it again, for every reader", "remove its access"),
    ):
        subcommand = _subcommand(subcommands, name, command, summary)
        subcommand.add_argument("--reader", metavar="ARN", help=f"an IAM role or user: {reader}")
        subcommand.set_defaults(interrupted="what was done before stays: tailer change-streams show")


def _subcommand(parsers: Any, name: str, command: Any, summary: str) -> ArgumentParser:
    subcommand = _command(parsers, name, command, summary)
    subcommand.add_argument("--dry-run", action="store_true", help="show the result, and change nothing")
    subcommand.add_argument("--json", action="store_true", help="for scripts")
    return subcommand


def _command(parsers: Any, name: str, command: Any, summary: str, *more: str, settings: bool = False) -> ArgumentParser:
    described = [paragraphs(f"{summary[0].upper()}{summary[1:]}.", *more), *([settings_by_group()] if settings else [])]
    made: ArgumentParser = parsers.add_parser(
        name,
        help=summary,
        description="\n\n".join(described),
        epilog=_epilog(name),
        formatter_class=RawDescriptionHelpFormatter,
    )
    made.add_argument("--stream", help="the stream's name, if there are several streams")
    made.set_defaults(command=command, interrupted="nothing was changed")
    return made


def _epilog(name: str) -> str:
    parts = [examples(EXAMPLES[name])] if name in EXAMPLES else []
    return "\n\n".join([*parts, paragraphs(EXIT_CODES)])
