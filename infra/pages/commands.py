"""``docs/reference/commands.md``: every command, from its parser."""

from argparse import SUPPRESS, Action, ArgumentParser, _SubParsersAction
from collections.abc import Iterator

import click

from infra.package import REPOSITORY
from infra.pages.tables import table
from lambda_forwarder.__main__ import _parser as forwarder
from tailer.cli.arguments import parser as tailer
from tailrace.cli.commands import SECTIONS
from tailrace.cli.passed_on import PassedOn
from tailrace.cli.program import load

PAGE = REPOSITORY / "docs" / "reference" / "commands.md"

_TOP = """# Commands

Every command, with its options. `make docs` writes this page from the parsers: do not edit it.

`tailrace` is the command for people. `tailer run` is what a task runs. The commands of the section *Operate*, and
`tailrace try`, are those of `tailer` and `python -P -m lambda_forwarder` with the same options.
"""


def page() -> str:
    parts = [_TOP]
    for section, commands in SECTIONS.items():
        if commands:
            rows = [(f"`tailrace {command.name}`", command.summary) for command in commands]
            parts += [f"## tailrace: {section}\n", table(("command", "what it does"), rows), ""]
            for command in commands:
                if not isinstance(made := load(command), PassedOn):
                    parts += _of_click(f"tailrace {command.name}", made)
    for title, parser in (("tailer", tailer(lambda *_: 0)), ("python -P -m lambda_forwarder", forwarder())):
        parts.append(f"## {title}\n")
        for name, inner, summary in _leaves(parser, title, ""):
            parts += _section(name, summary, _options(inner))
    return "\n".join(parts)


def _of_click(name: str, command: click.Command) -> Iterator[str]:
    """Yield the section of a command of click, or of each command of its group."""
    if isinstance(command, click.Group):
        for inner, one in command.commands.items():
            yield from _of_click(f"{name} {inner}", one)
        return
    context = click.Context(command, info_name=name)
    rows = [record for option in command.params if (record := option.get_help_record(context))]
    arguments = " ".join(option.make_metavar(context) for option in command.params if isinstance(option, click.Argument))
    yield from _section(f"{name} {arguments}".rstrip(), command.get_short_help_str(limit=1_000), rows)


def _leaves(parser: ArgumentParser, name: str, summary: str) -> Iterator[tuple[str, ArgumentParser, str]]:
    """Yield each command that has no commands of its own: its name, its parser and its summary."""
    inner = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    if not inner:
        yield name, parser, summary
    for action in inner:
        summaries = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for word, one in action.choices.items():
            yield from _leaves(one, f"{name} {word}", summaries.get(word, ""))


def _options(parser: ArgumentParser) -> list[tuple[str, str]]:
    shown = [action for action in parser._actions if action.help != SUPPRESS and "--help" not in action.option_strings]
    return [(_written(action), _filled(action, parser)) for action in shown]


def _written(action: Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else "|".join(action.choices or ()) or action.dest.upper()
    if not action.option_strings:
        return metavar
    return ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {metavar}")


def _filled(action: Action, parser: ArgumentParser) -> str:
    return " ".join(((action.help or "") % {**vars(action), "prog": parser.prog}).split())


def _section(name: str, summary: str, options: list[tuple[str, str]]) -> Iterator[str]:
    sentence = f"{summary[:1].upper()}{summary[1:]}"
    yield f"### `{name}`\n\n{sentence}{'' if sentence.endswith('.') else '.'}\n"
    if options:
        rows = [(f"`{written}`".replace("|", "\\|"), meaning) for written, meaning in options if meaning]
        yield table(("option", "meaning"), rows)
        yield ""
