"""The values that pass between the source, the loop and the checkpoint store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from tailer.cluster import Cluster
from tailer.crashes import NONE, Crashes
from tailer.position import Position
from tailrace.wire.change import Change


class Checkpoint(Struct, frozen=True, kw_only=True):
    """
    The promise that everything up to ``position`` is in the queue.

    ``sequence`` is the number of the last change delivered; the next one gets ``sequence + 1``, so a replay gives every change
    its old number. ``unconfirmed``: the last reply was empty and had no post-batch token, so how far the server has read its
    history is unknown.
    """

    generation: int = 1
    sequence: int = 0
    position: Position
    unconfirmed: bool = False

    def is_at(self, other: "Checkpoint | None") -> bool:
        """Whether both are the same position."""
        return other is not None and replace(other, unconfirmed=self.unconfirmed) == self

    @property
    def reached(self) -> str | None:
        """The cluster time up to which everything is in the queue; None where it is unknown."""
        return self.position.time


class Gap(Struct, frozen=True, kw_only=True):
    """
    History that nobody delivered, and a person's word for it. ``after`` and ``until`` are cluster times; ``sequence`` is the
    number of the change that announces it. Times of day are RFC 3339 in UTC.
    """

    generation: int
    sequence: int
    after: str
    until: str
    accepted_by: str
    accepted_at: str
    reason: str
    announced: bool = False


class Skip(Struct, frozen=True, kw_only=True):
    """A change that a person stepped over, by its short id, and that person's word for it. ``at`` is RFC 3339 in UTC."""

    change: str
    by: str
    at: str
    reason: str


class OlderGaps(Struct, frozen=True, kw_only=True):
    """What is left of the announced gaps that a record keeps no more: how many, and between which cluster times."""

    count: int
    after: str
    until: str


class Record(Struct, frozen=True, kw_only=True):
    """
    What a store keeps of one stream: the lease and the checkpoint together, so that one conditional write guards both.

    ``version`` grows by one with every write. ``owner`` is empty when nobody tails the stream. ``fence`` grows with every
    owner. ``identity`` says what the stream watches and how it is laned, as canonical JSON; it may change until something was
    delivered. ``cluster`` is whose history the checkpoint is a position in; older records do not say. An owner whose version
    stands still for ``lease_seconds`` has lost the lease. ``problem`` is why the last owner stopped for good, if it did, and
    ``problem_code`` the exit code that says so; ``gaps`` is the ledger of what was never delivered, and
    ``older_gaps`` what is left of its first entries; ``saved_at`` the time of day of the last write, and ``scanning_since``
    since when the owner waits for a server that looks through history, both for people only. ``skips``
    are the last changes that a person stepped over, ``stubs`` how many were sent in all, and which was the last.
    ``crashes`` counts the owners that crashed at this position.
    """

    stream: str
    version: int = 0
    owner: str = ""
    fence: int = 0
    identity: str = ""
    lease_seconds: float = 0
    checkpoint: Checkpoint | None = None
    problem: str = ""
    problem_code: int = 0
    gaps: tuple[Gap, ...] = ()
    older_gaps: OlderGaps | None = None
    saved_at: str = ""
    scanning_since: str = ""
    cluster: Cluster | None = None
    skips: tuple[Skip, ...] = ()
    stubs: int = 0
    last_stub: str = ""
    crashes: Crashes = field(default=NONE, name="deaths")

    @property
    def delivered(self) -> bool:
        """Whether anything was sent under ``identity``, as far as the checkpoint tells."""
        return self.checkpoint is not None and self.checkpoint.sequence > 0

    def overdue(self, now: datetime) -> bool:
        """Whether its owner has written nothing for longer than its lease. Two clocks are compared: for people only."""
        if not self.owner or not self.saved_at:
            return False
        return (now - datetime.fromisoformat(self.saved_at)).total_seconds() > self.lease_seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """
    Some changes in stream order, and the checkpoint that holds once they are all delivered. Empty: the heartbeat. ``size`` is
    what they take in memory until then, in bytes at most.
    """

    changes: Sequence[Change]
    checkpoint: Checkpoint
    size: int = 0
