"""The event bus and its consumers."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from tailer.settings.table import Section


class Consumer(Section):
    """Another team's bus."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,39}$", description="its name: letters, digits and -, at most 40")
    bus_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:events:[^:]+:\d{12}:event-bus(/|v2/)\S+$",
        description="ARN of their bus: in any account or region for a classic bus, in this account for an ordered bus",
    )
    events: tuple[str, ...] = Field(
        (), description="names of the events that they get, e.g. PaymentCancelled; leave it out for all events"
    )

    @property
    def account(self) -> str:
        return self.bus_arn.split(":")[4]


class Bus(Section):
    """The event bus that domain events are published on."""

    kind: Literal["classic", "ordered"] = Field(
        "classic", description="classic, or ordered if consumers need the events of a document in order"
    )
    name: str = Field("", pattern=r"^[A-Za-z0-9._-]{0,64}$", description="its name; leave it out for tailrace-<environment>")
    archive_days: int = Field(
        30,
        ge=0,
        le=365,
        description="days that a classic bus archives its events (0: no archive), or that an ordered bus keeps them (1 to 365)",
    )
    schemas: bool = Field(True, description="whether the schemas of the events are put into a schema registry")
    consumers: tuple[Consumer, ...] = Field(
        (), description="buses that events are sent to; their policies must allow this account"
    )
    allowed_accounts: tuple[Annotated[str, Field(pattern=r"^\d{12}$")], ...] = Field(
        (), description="accounts, twelve digits each, that may create their own rules (ordered bus: subscribers) on the bus"
    )

    @property
    def readers(self) -> Mapping[str, Sequence[str]]:
        """Return the names of the events that each account gets. Empty means all, as for an account that may make rules."""
        found: dict[str, Sequence[str]] = {}
        for account in sorted({consumer.account for consumer in self.consumers} | set(self.allowed_accounts)):
            named = [consumer.events for consumer in self.consumers if consumer.account == account]
            everything = account in self.allowed_accounts or () in named
            found[account] = () if everything else sorted({event for events in named for event in events})
        return found
