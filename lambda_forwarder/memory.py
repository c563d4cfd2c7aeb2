"""Both ports in memory: for tests of mappers and of the loop, under the same promises as the real ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.event import Entry
from lambda_forwarder.parked import Parked
from lambda_forwarder.ports import Refused, TimeLeft


@dataclass(kw_only=True)
class MemoryPublisher:
    """Keeps what was published, in order. ``limit`` is the size from which a detail is refused, in bytes."""

    limit: int = 1_048_576
    entries: list[Entry] = field(default_factory=list)

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Sequence[Refused]:
        """See ``Publisher``."""
        if entries and time_left() <= 0:
            raise Unavailable("no time left")
        fitting = [entry for entry in entries if len(entry.detail) < self.limit]
        self.entries += fitting
        return [
            Refused(entry, f"{len(entry.detail)} bytes; the limit is {self.limit}")
            for entry in entries
            if len(entry.detail) >= self.limit
        ]


@dataclass(kw_only=True)
class MemoryParking:
    """Keeps what was parked by its id, so that a repeat is kept once."""

    parked: dict[str, Parked] = field(default_factory=dict)

    def park(self, parked: Sequence[Parked]) -> None:
        """See ``Parking``."""
        for item in parked:
            self.parked.setdefault(item.id, item)
