"""An event of the catalogue."""

from msgspec import Struct

from tailrace.events import DomainEvent


class CataloguedEvent(Struct, frozen=True, kw_only=True):
    """An event, and its mappers' descriptions by collection (``when``)."""

    event: type[DomainEvent]
    when: dict[str, str]
