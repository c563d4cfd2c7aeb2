"""An event as its consumer reads it."""

from datetime import datetime
from typing import Generic, TypeVar

from msgspec import Struct

from tailrace.metadata import Metadata

D = TypeVar("D")
"""The type of an event's data: a class of the consumer, or a dict."""


class Event(Struct, Generic[D], frozen=True, kw_only=True):
    """
    One delivery of an event. ``name`` is its detail-type. A repeat has the same ``id``. ``replay`` is the name of the replay if
    an archive of EventBridge sent the event again, else an empty string.
    """

    name: str
    source: str
    metadata: Metadata
    data: D
    replay: str = ""

    @property
    def id(self) -> str:
        """The id of the event: the same in every delivery."""
        return self.metadata.id

    @property
    def document(self) -> str:
        """The name of the changed document, or what the event is about."""
        return self.metadata.document

    @property
    def position(self) -> tuple[int, int]:
        """``(generation, sequence)``. It orders the events of one stream; positions of two streams cannot be compared."""
        return self.metadata.generation, self.metadata.sequence

    @property
    def occurred_at(self) -> datetime:
        """The time of the commit."""
        return self.metadata.occurred_at
