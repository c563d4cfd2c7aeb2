"""The commands, their options, and the help that teaches them."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from pydantic import SecretStr

from tailer import commands, enabling
from tailer.doctor.command import doctor, unsettled
from tailer.settings import PREFIX, Settings

_EPILOG = """exit codes: 0 stopped as asked, 2 misconfigured, 3 history lost, 4 rejected by the queue for good, 1 anything else.
SIGTERM and SIGINT: the batch in flight is finished, the checkpoint saved and the lease released, within 20 seconds; what hangs
for longer is left as a crash leaves it, and nothing is lost."""
_DOCTOR = """With the settings of tailer run it connects to everything and tells line by line what is ok, what FAILs, what to
warn of and what was skipped, each with its remedy. It takes no lease, sends no message and consumes nothing. Its exit
code is what tailer run would end with: 0 without a FAIL."""
_TO = "beginning (the oldest history there is), an RFC 3339 time, or a resume token"


def parser(run: Any) -> ArgumentParser:
    """The parser of ``tailer``; ``command`` of what it parses is the function to call."""
    top = ArgumentParser(prog="tailer", description="Tails MongoDB or DocumentDB change streams into an SQS FIFO queue.")
    all_of_them = top.add_subparsers(required=True, metavar="COMMAND")
    _command(
        all_of_them,
        "run",
        run,
        "tail the stream until SIGTERM",
        more="settings (environment or .env):\n" + _settings_table(),
    )
    status = _command(all_of_them, "status", commands.status, "who tails each stream, how far behind, how much history is left")
    status.add_argument("--json", action="store_true", help="for scripts")
    look = _command(all_of_them, "doctor", doctor, "what would not work, and what to do about it", more=_DOCTOR)
    look.add_argument("--json", action="store_true", help="for scripts: one object, at the end")
    look.set_defaults(unsettled=unsettled)
    checkpoint = all_of_them.add_parser("checkpoint", help="show a stream's position, or decide where it goes on")
    deeds = checkpoint.add_subparsers(required=True, metavar="COMMAND")
    show = _command(deeds, "show", commands.show, "the stored record of each stream")
    show.add_argument("--json", action="store_true", help="for scripts")
    _deed(deeds, "seed", commands.seed, "give a stream that has none its first checkpoint").add_argument(
        "--to", required=True, help=_TO
    )
    _deed(deeds, "rewind", commands.rewind, "deliver everything after a position again, as a new generation").add_argument(
        "--to", required=True, help=_TO
    )
    gap = _deed(deeds, "accept-gap", commands.accept_gap, "go on behind lost history; the gap is recorded and published")
    gap.add_argument("--why", required=True, metavar="REASON", help="for the ledger, and for every consumer to read")
    gap.add_argument("--by", metavar="WHO", help="who accepts it (default: the user who runs this)")
    gap.add_argument("--to", help=f"where to go on: {_TO} (default: the oldest history there is, else now)")
    accept = _deed(deeds, "accept-settings", commands.accept_settings, "go on as the settings say now, as a new generation")
    accept.add_argument("--anyway", action="store_true", help="although messages wait in the queue")
    _change_streams(all_of_them)
    return top


def _change_streams(parsers: Any) -> None:
    parser = parsers.add_parser("change-streams", help="what DocumentDB keeps for the streams: show, enable or disable it")
    deeds = parser.add_subparsers(required=True, metavar="COMMAND")
    show = _command(deeds, "show", enabling.show, "what each stream needs, and whether it is enabled")
    show.add_argument("--json", action="store_true", help="for scripts")
    for name, command, summary, reader in (
        (
            "enable",
            enabling.enable,
            "enable what the streams need (DocumentDB; as a user who may)",
            "let it in, to read them and no more",
        ),
        ("disable", enabling.disable, "disable it again, for every reader", "let it in no more"),
    ):
        _deed(deeds, name, command, summary).add_argument("--reader", metavar="ARN", help=f"an IAM role or user: {reader}")


def _deed(parsers: Any, name: str, command: Any, summary: str) -> ArgumentParser:
    deed = _command(parsers, name, command, summary)
    deed.add_argument("--dry-run", action="store_true", help="show what would be, and change nothing")
    deed.add_argument("--json", action="store_true", help="for scripts")
    return deed


def _command(parsers: Any, name: str, command: Any, summary: str, more: str = "") -> ArgumentParser:
    made: ArgumentParser = parsers.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{more}",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    made.add_argument("--stream", help="one of several streams, by name")
    made.set_defaults(command=command)
    return made


def _settings_table() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "required" if field.is_required() else f"{_default(field.get_default())}"
        rows.append(f"  {PREFIX}{name.upper():28} {field.description} ({default})")
    return "\n".join(rows)


def _default(value: Any) -> str:
    said = value.get_secret_value() if isinstance(value, SecretStr) else value
    return f"default {said or 'empty'}"
