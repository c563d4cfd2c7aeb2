"""
The table of statements in ``docs/security.md``, with every option of production in use.

    python -P -m infra.pages.security
"""

import sys
import tempfile
from pathlib import Path

from infra.package import REPOSITORY
from infra.settings import ENVIRONMENTS, Consumer, Environment, StreamTable, load
from infra.statements import Resource, table
from infra.synthesis import synthesise

PAGE = REPOSITORY / "docs" / "security.md"
BEGIN, END = "<!-- statements: written by make docs -->", "<!-- end of statements -->"


def everything() -> Environment:
    """Production, and besides all that grants something more."""
    production = load(ENVIRONMENTS / "production.toml")
    consumer = Consumer(name="consumer", bus_arn="arn:aws:events:eu-west-1:111122223333:event-bus/THEIRS")
    orders = StreamTable(
        stream_arn="arn:aws:dynamodb:eu-west-1:111122223333:table/TABLE/stream/2026-01-01T00:00:00.000",
        key_arn="arn:aws:kms:eu-west-1:111122223333:key/THEIRS",
    )
    bus = production.bus.model_copy(update={"consumers": (consumer,), "allowed_accounts": ("111122223333",)})
    forwarder = production.forwarder.model_copy(update={"dynamodb_streams": (orders,)})
    alarms = production.alarms.model_copy(update={"email": "oncall@example.com"})
    return production.model_copy(update={"bus": bus, "forwarder": forwarder, "alarms": alarms})


def page(text: str, template: Resource) -> str:
    """
    The page with the template's table between its two marks.

    Raises:
        ValueError: it lacks them.
    """
    above, begin, rest = text.partition(BEGIN)
    _, end, below = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/security.md has lost the marks that its table lies between: {BEGIN} and {END}")
    return f"{above}{BEGIN}\n\n{table(template)}\n\n{END}{below}"


def main() -> int:
    """Write the page."""
    with tempfile.TemporaryDirectory(prefix="tailrace-statements-") as folder:
        package = Path(folder) / "forwarder.zip"
        package.touch()  # what is in it grants nothing
        template = synthesise(everything(), Path(folder) / "out", package=package).template
    PAGE.write_text(page(PAGE.read_text(), template))
    return 0


if __name__ == "__main__":
    sys.exit(main())
