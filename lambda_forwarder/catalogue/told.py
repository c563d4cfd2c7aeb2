"""What the catalogue lists."""

from msgspec import Struct

from tailrace.events import DomainEvent


class Told(Struct, frozen=True, kw_only=True):
    """One event, and when it is told: by collection, in the words of its mapper."""

    event: type[DomainEvent]
    when: dict[str, str]
