"""The ports in memory: for tests of mappers and of the loop, under the same promises as the real ones."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from contract.change import Claim
from lambda_forwarder.errors import Rejected, Unavailable
from lambda_forwarder.event import Entry
from lambda_forwarder.parked import Parked
from lambda_forwarder.ports import Refused, TimeLeft
from lambda_forwarder.watermark import Watermark


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


@dataclass(kw_only=True)
class MemoryWatermarks:
    """Keeps the watermarks by lane."""

    marks: dict[str, Watermark] = field(default_factory=dict)

    def read(self, lanes: Collection[str]) -> Mapping[str, Watermark]:
        """See ``Watermarks``."""
        return {lane: self.marks[lane] for lane in lanes if lane in self.marks}

    def advance(self, lane: str, to: Watermark) -> None:
        """See ``Watermarks``."""
        if lane not in self.marks or self.marks[lane].position < to.position:
            self.marks[lane] = to


@dataclass(kw_only=True)
class MemoryClaims:
    """Holds the objects of one bucket by their keys."""

    bucket: str = "claims"
    objects: dict[str, bytes] = field(default_factory=dict)

    def fetch(self, claim: Claim) -> bytes:
        """See ``Claims``."""
        if claim.bucket != self.bucket:
            raise Rejected(f"it lies in the bucket {claim.bucket!r}; ours is {self.bucket!r}")
        if claim.key not in self.objects:
            raise Rejected(f"there is no object {claim.key!r}")
        return self.objects[claim.key][: claim.bytes + 1]
