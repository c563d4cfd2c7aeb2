"""The forwarder's ports in memory, for tests. They keep the same guarantees as the AWS adapters."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from lambda_forwarder.errors import Rejected, Unavailable
from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import Published, Refused, Stored, TimeLeft
from tailrace.wire.change import Claim


@dataclass(kw_only=True)
class MemoryPublisher:
    """Keeps the published entries, in order. A detail of ``limit`` bytes or more is refused."""

    limit: int = 1_048_576
    entries: list[Entry] = field(default_factory=list)

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        if entries and time_left() <= 0:
            raise Unavailable("no time left")
        self.entries += (entry for entry in entries if len(entry.detail) < self.limit)
        refused = (entry for entry in entries if len(entry.detail) >= self.limit)
        return Published(
            refused=tuple(Refused(entry, f"{len(entry.detail)} bytes; the limit is {self.limit}") for entry in refused)
        )


@dataclass(kw_only=True)
class MemoryParking:
    """Keeps the parked items by their ids."""

    parked: dict[str, Parked] = field(default_factory=dict)

    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
        if parked and time_left() <= 0:
            raise Unavailable("no time left")
        for item in parked:
            self.parked.setdefault(item.id, item)


@dataclass(kw_only=True)
class MemoryWatermarks:
    """Keeps the watermarks by lane."""

    marks: dict[str, Watermark] = field(default_factory=dict)

    def read(self, lanes: Collection[str], time_left: TimeLeft) -> Mapping[str, Watermark]:  # noqa: ARG002
        return {lane: self.marks[lane] for lane in lanes if lane in self.marks}

    def advance(self, lane: str, to: Watermark) -> None:
        if lane not in self.marks or self.marks[lane].position < to.position:
            self.marks[lane] = to


@dataclass(kw_only=True)
class MemoryLastStates:
    """Keeps the histories of documents by their keys."""

    stored: dict[str, Stored] = field(default_factory=dict)

    def read(self, keys: Collection[str], time_left: TimeLeft) -> Mapping[str, Stored]:
        if keys and time_left() <= 0:
            raise Unavailable("no time left")
        return {key: self.stored[key] for key in keys if key in self.stored}

    def write(self, changed: Mapping[str, Stored], time_left: TimeLeft) -> None:
        for key, new in changed.items():
            known = self.stored.get(key)
            if time_left() <= 0 or new.revision != (known.revision if known else 0):
                raise Unavailable("no time left, or the history was written meanwhile")
            self.stored[key] = replace(new, revision=new.revision + 1)


@dataclass(kw_only=True)
class MemoryAttempts:
    """Keeps the last note of each message group."""

    notes: dict[str, Attempt] = field(default_factory=dict)

    def read(self, groups: Collection[str], time_left: TimeLeft) -> Mapping[str, Attempt]:  # noqa: ARG002
        return {group: self.notes[group] for group in groups if group in self.notes}

    def write(self, group: str, attempt: Attempt) -> None:
        self.notes[group] = attempt


@dataclass(kw_only=True)
class MemoryClaims:
    """Keeps the objects of one bucket by their keys."""

    bucket: str = "claims"
    objects: dict[str, bytes] = field(default_factory=dict)

    def store(self, key: str, content: bytes) -> Claim:
        self.objects[key] = content
        return Claim(bucket=self.bucket, key=key, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    def fetch(self, claim: Claim, time_left: TimeLeft) -> bytes:  # noqa: ARG002
        if claim.bucket != self.bucket:
            raise Rejected(f"the object is in the bucket {claim.bucket!r}; this bucket is {self.bucket!r}")
        if claim.key not in self.objects:
            raise Rejected(f"there is no object {claim.key!r}")
        return self.objects[claim.key][: claim.bytes + 1]


@dataclass(kw_only=True)
class MemoryBacklog:
    """Keeps messages in order. As in a FIFO queue, a hidden message blocks its group. A message stays hidden for ever."""

    waiting: list[Delivery] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)  # the groups of hidden messages, by message id

    def take(self, count: int, seconds: float) -> Sequence[Delivery]:  # noqa: ARG002
        blocked = set(self.held.values())
        taken = [delivery for delivery in self.waiting if delivery.group not in blocked][: min(count, 10)]
        self.held |= {delivery.id: delivery.group for delivery in taken}
        return taken

    def remove(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:
        self.give_back(deliveries, time_left)
        removed = {delivery.id for delivery in deliveries}
        self.waiting = [delivery for delivery in self.waiting if delivery.id not in removed]

    def give_back(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:  # noqa: ARG002
        for delivery in deliveries:
            self.held.pop(delivery.id, None)
