"""The event bus and its consumers."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from infra.sections.section import Section


class Consumer(Section):
    """Another team's bus."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,39}$", description="its name: letters, digits and -, at most 40")
    bus_arn: str = Field(
        pattern=r"^arn:aws[a-z-]*:events:[^:]+:\d{12}:event-bus(/|v2/)\S+$",
        description="ARN of their bus: of any account or region from a classic bus, of this account from an ordered one",
    )
    events: tuple[str, ...] = Field((), description="events they get, e.g. PaymentCancelled; leave it out for all")

    @property
    def account(self) -> str:
        return self.bus_arn.split(":")[4]


class Bus(Section):
    """The event bus that domain events are published on."""

    kind: Literal["classic", "ordered"] = Field("classic", description="classic, or ordered where order must survive the bus")
    name: str = Field("", pattern=r"^[A-Za-z0-9._-]{0,64}$", description="its name; leave it out for tailrace-<environment>")
    archive_days: int = Field(
        30,
        ge=0,
        le=365,
        description="days a classic bus archives (0: no archive) and an ordered bus keeps (1 to 365) its events",
    )
    schemas: bool = Field(True, description="whether the events' schemas are entered in a schema registry")
    consumers: tuple[Consumer, ...] = Field((), description="buses that events are sent to; they must allow this account")
    allowed_accounts: tuple[Annotated[str, Field(pattern=r"^\d{12}$")], ...] = Field(
        (), description="accounts, twelve digits each, that may make rules (ordered: subscribers) of their own on the bus"
    )

    @property
    def readers(self) -> Mapping[str, Sequence[str]]:
        """Account → the events that it gets: of its consumers by name, none for all; of one with its own rules, all."""
        accounts = sorted({one.account for one in self.consumers} | set(self.allowed_accounts))
        return {account: self._events(account) for account in accounts}

    def _events(self, account: str) -> Sequence[str]:
        named = [one.events for one in self.consumers if one.account == account]
        everything = account in self.allowed_accounts or () in named
        return () if everything else sorted({event for events in named for event in events})
