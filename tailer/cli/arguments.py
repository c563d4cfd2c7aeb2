"""The parser of the command line, with the help of each command."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any

from tailer.cli.command import Command, Run
from tailer.cli.commands import COMMANDS
from tailer.cli.help import examples, paragraphs, settings_by_group
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


def parser(run: Run) -> ArgumentParser:
    """Return the parser of ``tailer``. ``run`` runs ``tailer run``; ``command`` of what is parsed runs the command."""
    top = ArgumentParser(
        prog="tailer",
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
                group, help=_GROUPS[group], epilog=_epilog(shown), formatter_class=RawDescriptionHelpFormatter
            )
            groups[group] = made.add_subparsers(required=True, metavar="COMMAND", title="commands")
        _add(groups[group], name, command)
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


def _add(commands: Any, name: str, command: Command) -> None:
    summary = f"{command.summary[0].upper()}{command.summary[1:]}."
    description = [paragraphs(*filter(None, (summary, command.details)))]
    if name == "run":
        description.append(settings_by_group())
    made: ArgumentParser = commands.add_parser(
        name,
        help=command.summary,
        description="\n\n".join(description),
        epilog=_epilog(command.examples),
        formatter_class=RawDescriptionHelpFormatter,
    )
    made.add_argument("--stream", help="the stream's name, if there are several streams")
    for option, given in command.options:
        made.add_argument(option, **given)
    made.set_defaults(**{"command": command.run, "interrupted": "nothing was changed", **command.defaults})


def _epilog(commands: Sequence[str]) -> str:
    return "\n\n".join([*([examples(commands)] if commands else []), paragraphs(EXIT_CODES)])
