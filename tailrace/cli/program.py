"""The group of all commands: its help, and the import of a command when it is typed."""

import sys
from importlib import import_module
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError, NoSuchCommand
from click.shell_completion import CompletionItem

from tailrace.cli.commands import COMMANDS, SECTIONS, Command
from tailrace.errors import Misconfigured
from tailrace.text.legible import legible
from tailrace.text.parser import with_usage
from tailrace.text.terminal import INTERRUPTED, complain
from tailrace.version import __version__

OURS = frozenset({"tailrace", "tailer", "lambda_forwarder", "tailrace_cdk"})


class Failed(click.ClickException):
    """The command ``by`` failed: something of the user's is missing or wrong, or a part did not start."""

    exit_code: int  # type: ignore[misc] # click has one for the class; here each error has its own

    def __init__(self, message: str, by: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.by, self.exit_code = by, exit_code


class Group(click.Group):
    """The commands of the table. Help and completion import none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            return load(COMMANDS[cmd_name])
        if ctx.resilient_parsing:  # a shell completes what is typed
            return None
        raise NoSuchCommand(cmd_name, possibilities=COMMANDS, ctx=ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for section, commands in SECTIONS.items():
            if commands:
                with formatter.section(section):
                    formatter.write_dl([(command.name, command.summary) for command in commands])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(one.name, help=one.summary) for one in COMMANDS.values() if one.name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Misconfigured as error:
            raise Failed(str(error), _typed(ctx)) from None
        except (click.UsageError, Failed):
            raise
        except click.ClickException as error:
            raise Failed(error.message, _typed(ctx), error.exit_code) from None
        except OSError as error:
            if error.filename is None:  # no file of the user's: a connection, or a closed pipe
                raise
            raise Failed(legible(unusable(error)), _typed(ctx)) from None

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a command and end the program. Every error has the same form: ``tailrace COMMAND: …``."""
        run: Any = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **extra)
        try:
            code = run(*args, standalone_mode=False, **extra)
        except click.ClickException as error:
            report(error)
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(INTERRUPTED)
        sys.exit(code)


def _typed(ctx: click.Context) -> str:
    return " ".join(filter(None, [ctx.command_path, ctx.invoked_subcommand]))


def report(error: click.ClickException) -> None:
    """Print an error. That of wrong arguments is followed by the usage and the examples of the command."""
    if isinstance(error, NoArgsIsHelpError):  # the help of tailrace
        error.show()
        return
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context:
        epilog = (context.command.epilog or "").removeprefix("\b\n")
        complain(with_usage(error.format_message(), context.get_usage(), epilog), by=context.command_path)
    else:
        complain(error.format_message(), by=getattr(error, "by", "tailrace"))


def unusable(error: OSError) -> str:
    """Return a sentence about a file that cannot be read or written, and the remedy."""
    path = error.filename2 or error.filename
    return f"{path}: {error.strerror}. Use a path that exists and that you may use, on a disk with free space"


def load(command: Command) -> click.Command:
    """Import a command. A missing package is reported with the extra that installs it."""
    module, _, name = command.where.partition(":")
    try:
        made = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in OURS:
            raise
        remedy = f"Install it: pip install 'tailrace[{command.extra}]'"
        missing = f"the package {error.name} is not installed. {remedy}"
        raise Failed(missing, f"tailrace {command.name}") from None
    assert isinstance(made, click.Command), command.where  # noqa: S101 - a row of our own table
    return made


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nexamples:\n  tailrace try sample.json\n  tailrace doctor\n  tailrace checkpoint --help",
)
@click.version_option(__version__, prog_name="tailrace")
def tailrace() -> None:
    """Turn the changes of a MongoDB or DocumentDB database into domain events on EventBridge."""
