"""The table of statements in ``docs/operations/rights.md``, for production with every option in use."""

from infra.environment_files import ENVIRONMENTS
from infra.package import REPOSITORY
from infra.pages.tables import replaced
from infra.statements import Resource, table
from tailrace_cdk.config import Consumer, Environment, StreamTable, load
from tailrace_cdk.synthesis.synthesis import template

PAGE = REPOSITORY / "docs" / "operations" / "rights.md"


def everything() -> Environment:
    """Return production with every further setting that needs a right."""
    production = load(ENVIRONMENTS / "production.toml")
    consumer = Consumer(name="consumer", bus_arn="arn:aws:events:eu-west-1:111122223333:event-bus/THEIRS")
    orders = StreamTable(
        stream_arn="arn:aws:dynamodb:eu-west-1:111122223333:table/TABLE/stream/2026-01-01T00:00:00.000",
        key_arn="arn:aws:kms:eu-west-1:111122223333:key/THEIRS",
    )
    bus = production.bus.model_copy(update={"consumers": (consumer,), "allowed_accounts": ("111122223333",)})
    forwarder = production.forwarder.model_copy(update={"dynamodb_streams": (orders,), "last_states": True})
    alarms = production.alarms.model_copy(update={"email": "oncall@example.com"})
    return production.model_copy(update={"bus": bus, "forwarder": forwarder, "alarms": alarms})


def page(made: Resource | None = None) -> str:
    """Return the whole page, with the table for the template of ``everything``."""
    return replaced(PAGE.read_text(), "statements", table(made or template(everything())))
