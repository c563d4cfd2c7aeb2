"""A parser of arguments that reports a wrong one as every other error is reported."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from textwrap import indent
from typing import Any, NoReturn

from tailrace.text.terminal import complain

WRONG = 2  # the exit code


class Parser(ArgumentParser):
    """After the error it shows the usage and the examples of the command that was typed."""

    # mypy: argparse also promises the type of a given namespace back, which nothing here uses
    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Namespace, list[str]]:  # type: ignore[override]
        """As ``ArgumentParser`` does, but an argument that a command does not know is an error of this command."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options, unknown

    def error(self, message: str) -> NoReturn:
        complain(with_usage(message, self.format_usage(), self.epilog or ""), by=self.prog)
        raise SystemExit(WRONG)


def with_usage(message: str, usage: str, epilog: str) -> str:
    """Return an error with the usage, and with the examples that an epilog begins with."""
    examples = epilog.partition("\n\n")[0]
    shown = indent(examples, "  ") if examples.startswith("examples:") else ""
    return "\n".join(filter(None, [message, usage.strip().replace("Usage:", "usage:"), shown]))
