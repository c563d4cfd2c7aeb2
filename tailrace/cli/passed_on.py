"""Commands of the tailer and of the forwarder. They have parsers of their own, which receive the arguments as typed."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event
from typing import Any

import click

from tailrace.project import NoProject, Project, load


class PassedOn(click.Command):
    """Hands its name and all its arguments, ``--help`` included, to a program, and ends with the exit code of the program."""

    def __init__(self, program: Callable[[Sequence[str]], int]) -> None:
        super().__init__(name=None, add_help_option=False)
        self.program = program

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.args = args
        return args

    def invoke(self, ctx: click.Context) -> Any:
        ctx.exit(self.program([str(ctx.info_name), *ctx.args]))


def _tailer(arguments: Sequence[str]) -> int:
    from tailer.cli.command_line import command_line

    return command_line(arguments, Event(), by=f"tailrace {arguments[0]}")


def _forwarder(arguments: Sequence[str]) -> int:
    from lambda_forwarder.__main__ import main

    with suppress(NoProject):
        [_, mappers] = mappers_of(load())
        os.environ.setdefault("FORWARDER_MAPPERS", mappers)
    return main([*arguments], name="tailrace")


def mappers_of(project: Project) -> list[str]:
    """Return the option for the mappers of a project, and make their module importable."""
    sys.path[:0] = dict.fromkeys(str(source.parent) for source in project.sources)
    return ["--mappers", project.mappers]


tailer = PassedOn(_tailer)
forwarder = PassedOn(_forwarder)
