"""The ports in memory: for tests of mappers and of the loop, under the same promises as the real ones."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from lambda_forwarder.errors import Rejected, Unavailable
from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import Published, Refused, TimeLeft
from tailrace.wire.change import Claim


@dataclass(kw_only=True)
class MemoryPublisher:
    """Keeps what was published, in order. ``limit`` is the size from which a detail is refused, in bytes."""

    limit: int = 1_048_576
    entries: list[Entry] = field(default_factory=list)

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        """See ``Publisher``."""
        if entries and time_left() <= 0:
            raise Unavailable("no time left")
        fitting = [entry for entry in entries if len(entry.detail) < self.limit]
        self.entries += fitting
        refused = (entry for entry in entries if len(entry.detail) >= self.limit)
        return Published(
            refused=tuple(Refused(entry, f"{len(entry.detail)} bytes; the limit is {self.limit}") for entry in refused)
        )


@dataclass(kw_only=True)
class MemoryParking:
    """Keeps what was parked by its id, so that a repeat is kept once."""

    parked: dict[str, Parked] = field(default_factory=dict)

    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
        """See ``Parking``."""
        if parked and time_left() <= 0:
            raise Unavailable("no time left")
        for item in parked:
            self.parked.setdefault(item.id, item)


@dataclass(kw_only=True)
class MemoryWatermarks:
    """Keeps the watermarks by lane."""

    marks: dict[str, Watermark] = field(default_factory=dict)

    def read(self, lanes: Collection[str], time_left: TimeLeft) -> Mapping[str, Watermark]:  # noqa: ARG002 - it takes none
        """See ``Watermarks``."""
        return {lane: self.marks[lane] for lane in lanes if lane in self.marks}

    def advance(self, lane: str, to: Watermark) -> None:
        """See ``Watermarks``."""
        if lane not in self.marks or self.marks[lane].position < to.position:
            self.marks[lane] = to


@dataclass(kw_only=True)
class MemoryAttempts:
    """Keeps the last note of each message group."""

    notes: dict[str, Attempt] = field(default_factory=dict)

    def read(self, groups: Collection[str], time_left: TimeLeft) -> Mapping[str, Attempt]:  # noqa: ARG002 - it takes none
        """See ``Attempts``."""
        return {group: self.notes[group] for group in groups if group in self.notes}

    def write(self, group: str, attempt: Attempt) -> None:
        """See ``Attempts``."""
        self.notes[group] = attempt


@dataclass(kw_only=True)
class MemoryClaims:
    """Holds the objects of one bucket by their keys."""

    bucket: str = "claims"
    objects: dict[str, bytes] = field(default_factory=dict)

    def store(self, key: str, content: bytes) -> Claim:
        """See ``Claims``."""
        self.objects[key] = content
        return Claim(bucket=self.bucket, key=key, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    def fetch(self, claim: Claim, time_left: TimeLeft) -> bytes:  # noqa: ARG002 - it takes none
        """See ``Claims``."""
        if claim.bucket != self.bucket:
            raise Rejected(f"the object is in the bucket {claim.bucket!r}; this bucket is {self.bucket!r}")
        if claim.key not in self.objects:
            raise Rejected(f"there is no object {claim.key!r}")
        return self.objects[claim.key][: claim.bytes + 1]


@dataclass(kw_only=True)
class MemoryBacklog:
    """Holds messages in order. A group with a message that is held gives no other, as in a FIFO queue."""

    waiting: list[Delivery] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)  # the groups of held messages, by the messages' ids

    def take(self, count: int, seconds: float) -> Sequence[Delivery]:  # noqa: ARG002 - it holds them for ever
        """See ``Backlog``."""
        locked = set(self.held.values())
        taken = [delivery for delivery in self.waiting if delivery.group not in locked][: min(count, 10)]
        self.held |= {delivery.id: delivery.group for delivery in taken}
        return taken

    def remove(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:
        """See ``Backlog``."""
        self.give_back(deliveries, time_left)
        gone = {delivery.id for delivery in deliveries}
        self.waiting = [delivery for delivery in self.waiting if delivery.id not in gone]

    def give_back(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:  # noqa: ARG002 - it takes none
        """See ``Backlog``."""
        for delivery in deliveries:
            self.held.pop(delivery.id, None)
