"""``tailrace schemas``: the schemas and the page of the project's events, which are its contract with other teams."""

import click

from lambda_forwarder.__main__ import main
from tailrace.cli.passed_on import mappers_of
from tailrace.project import load

EXAMPLES = "\b\nexamples:\n  tailrace schemas write\n  tailrace schemas check"


@click.group(epilog=EXAMPLES, no_args_is_help=False)
def schemas() -> None:
    """
    Write or check the contract with other teams, made from the mappers of this project.

    It is schemas/, a JSON Schema and an OpenAPI document for each event, and events.md, a page of all events with the examples
    in samples/.
    """


@schemas.command(epilog=EXAMPLES, short_help="write them, unless a change would break consumers")
@click.pass_context
def write(context: click.Context) -> None:
    """Write schemas/ and events.md, unless a change would break consumers."""
    context.exit(_catalogue())


@schemas.command(epilog=EXAMPLES, short_help="report what would break consumers; write nothing")
@click.pass_context
def check(context: click.Context) -> None:
    """Report each change that would break consumers, and each file that is not up to date. Write nothing; end with 1."""
    context.exit(_catalogue("--check"))


def _catalogue(*options: str) -> int:
    project = load()
    paths = {"--schemas": "schemas", "--events": "events.md", "--samples": "samples"}
    named = [word for option, name in paths.items() for word in (option, str(project.folder / name))]
    return main([*mappers_of(project), "catalogue", *options, *named], by="tailrace schemas")
