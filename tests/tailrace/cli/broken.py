"""A command that fails as a user's mistake does."""

from pathlib import Path

import click

from tailrace.errors import Misconfigured


@click.command
@click.argument("file", type=click.Path(path_type=Path))
def unwritable(file: Path) -> None:
    file.write_text("")


@click.command
def wrong() -> None:
    raise Misconfigured("mappers \x1b[2J: no such module")
