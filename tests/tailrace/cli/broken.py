"""A command that fails as a user's mistake does."""

import click

from tailrace.errors import Misconfigured


@click.command
def wrong() -> None:
    raise Misconfigured("mappers \x1b[2J: no such module")
