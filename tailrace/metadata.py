"""The metadata of an event on the bus: where it comes from, and what orders it."""

from msgspec import Struct

from tailrace.events import Time


class Metadata(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """
    The origin of an event. A repeat has the same ``id``. ``(generation, sequence)`` orders the events of a ``document``; a
    ``late`` event was published after newer ones.
    """

    id: str
    version: str
    stream: str
    generation: int
    sequence: int
    document: str
    operation: str
    occurred_at: Time
    late: bool = False
    traceparent: str | None = None
