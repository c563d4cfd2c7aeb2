"""The parser of the command line, with the help of each command: wrapped to the terminal, and settings in groups."""

import inspect
import shutil
import textwrap
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from tailer.cli.command import Command, Run
from tailer.cli.commands import COMMANDS
from tailer.settings.lease import LeaseSettings
from tailer.settings.names import PREFIX
from tailer.settings.stream import StreamSettings
from tailer.settings.table import Table
from tailer.settings.task import Connections, ProcessSettings
from tailrace.text.parser import Parser
from tailrace.version import __version__

EXIT_CODES = (
    "exit codes: 0 stopped as asked, 2 misconfigured, 3 history lost, 4 rejected by the queue for good, 130 interrupted, "
    "1 anything else."
)
EXAMPLES = ("tailer doctor", "tailer run", "tailer status --json", "tailer run --help")
_GROUPS = {
    "checkpoint": "show a stream's position, or decide where it goes on",
    "change-streams": "what DocumentDB keeps for the streams: show, enable or disable it",
}
MAX_COLUMNS = 110  # longer lines are hard to read


def parser(run: Run, program: str = "tailer") -> Parser:
    """
    Return the parser of ``tailer``, or of the ``program`` that has its commands. ``run`` runs ``tailer run``; ``command`` of
    what is parsed runs the command.
    """
    top = Parser(
        prog=program,
        description="Tails MongoDB or DocumentDB change streams into an SQS FIFO queue.",
        epilog=_epilog(EXAMPLES),
        formatter_class=RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"tailer {__version__}")
    groups = {"": top.add_subparsers(required=True, metavar="COMMAND", title="commands")}
    for command in (run_command(run), *COMMANDS):
        group, _, name = command.name.rpartition(" ")
        if group not in groups:
            shown = [example for one in COMMANDS if one.name.startswith(f"{group} ") for example in one.examples[:1]]
            made = groups[""].add_parser(
                group, help=_GROUPS[group], epilog=_epilog(shown, program), formatter_class=RawDescriptionHelpFormatter
            )
            groups[group] = made.add_subparsers(required=True, metavar="COMMAND", title="commands")
        _add(groups[group], name, command, program)
    return top


def run_command(run: Run) -> Command:
    """Return ``tailer run``, whose function knows how the process stops."""
    return Command(
        name="run",
        summary="tail the stream until SIGTERM",
        run=run,
        examples=("tailer run", "tailer run --stream payments"),
        details="Settings are read from environment variables and from a file .env in the current folder. After SIGTERM or "
        "SIGINT the task finishes the batch in flight, saves the checkpoint, releases the lease and ends within 20 seconds. A "
        "call that hangs for longer is abandoned, as in a crash: nothing is lost.",
    )


def _add(commands: Any, name: str, command: Command, program: str) -> None:
    summary = f"{command.summary[0].upper()}{command.summary[1:]}."
    description = [paragraphs(*filter(None, (summary, command.details)))]
    if name == "run":
        description.append(settings_by_group())
    made: Parser = commands.add_parser(
        name,
        help=command.summary,
        description="\n\n".join(description),
        epilog=_epilog(command.examples, program),
        formatter_class=RawDescriptionHelpFormatter,
    )
    made.add_argument("--stream", help="the stream's name, if there are several streams")
    for option, given in command.options:
        made.add_argument(option, **given)
    made.set_defaults(**{"command": command.run, "interrupted": "nothing was changed", **command.defaults})


def _epilog(commands: Sequence[str], program: str = "tailer") -> str:
    commands = [f"{program}{command.removeprefix('tailer')}" for command in commands]
    return "\n\n".join([*([examples(commands)] if commands else []), paragraphs(EXIT_CODES)])


def paragraphs(*texts: str) -> str:
    """Return the texts wrapped, with an empty line between two."""
    return "\n\n".join(textwrap.fill(" ".join(text.split()), _columns()) for text in texts)


def examples(commands: Iterable[str]) -> str:
    """Return commands as they are typed, never wrapped."""
    return "\n".join(["examples:", *(f"  {command}" for command in commands)])


def settings_by_group() -> str:
    """Return every setting with its description and its default, in groups with the descriptions of their classes."""
    groups: tuple[type[Table], ...] = (Connections, StreamSettings, LeaseSettings, ProcessSettings)
    return "\n\n".join(map(_group, groups))


def _group(group: type[Table]) -> str:
    title, _, _ = str(inspect.getdoc(group)).partition(".")
    return "\n".join([paragraphs(f"{title}:"), *(_setting(name, field) for name, field in group.model_fields.items())])


def _setting(name: str, field: FieldInfo) -> str:
    shown = field.get_default()
    shown = shown.get_secret_value() if isinstance(shown, SecretStr) else shown
    default = "required" if field.is_required() else f"default {shown or 'empty'}"
    text = textwrap.fill(f"{field.description} ({default})", _columns(), initial_indent=" " * 6, subsequent_indent=" " * 6)
    return f"  {PREFIX}{name.upper()}\n{text}"


def _columns() -> int:
    return min(shutil.get_terminal_size().columns, MAX_COLUMNS)
