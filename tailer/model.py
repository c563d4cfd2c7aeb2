"""The values that pass between the source, the loop and the checkpoint store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import force_setattr, replace

from tailer.cluster import Cluster
from tailer.crashes import NONE, Crashes
from tailer.resume_tokens import token_time
from tailrace.wire.change import UNKNOWN_TIME, Change


class At(Struct, frozen=True, tag="at"):
    """At a cluster time, ``"seconds.increment"``. The changes of that time are still to be read."""

    time: str


class After(Struct, frozen=True, tag="after"):
    """
    After the change or the reply that has this resume token, the server's opaque text.

    ``time`` is the token's cluster time, None where it is unknown. A time inside the token replaces any other.
    """

    token: str
    time: str | None = None

    def __post_init__(self) -> None:
        if time := token_time(self.token):
            force_setattr(self, "time", time)


Position = At | After

Start = Literal["now", "beginning"] | At
"""Where a stream without a checkpoint starts: now, at the oldest history, or at a time."""


def known_time(change: Change) -> str | None:
    """Return the cluster time of a change, None if the tailer could not read it."""
    return None if change.cluster_time == UNKNOWN_TIME else change.cluster_time


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
    History that was not delivered; a person accepted it. ``after`` and ``until`` are cluster times; ``sequence`` is the number
    of the change that announces the gap. Times of day are RFC 3339 in UTC.
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
    """A change that a person skipped, by its short id, and the reason. ``at`` is RFC 3339 in UTC."""

    change: str
    by: str
    at: str
    reason: str


class Record(Struct, frozen=True, kw_only=True):
    """
    What a store keeps of one stream: the lease and the checkpoint together, so that one conditional write guards both.

    ``version`` grows by one with every write, ``fence`` with every owner. ``owner`` is empty if no task tails the stream. An
    owner whose version does not change for ``lease_seconds`` has lost the lease. ``identity`` is what the stream watches and
    how its lanes are computed, as canonical JSON; it may change until a change was delivered. ``cluster`` is the cluster of the
    checkpoint's position; None in older records. ``problem`` is why the last owner stopped for good, ``problem_code`` its exit
    code. ``gaps`` is the list of what was never delivered, without the oldest. ``saved_at`` is the time of the last write,
    ``scanning_since`` the time at which the server began to scan its history; both are for people only.
    ``skips`` are the last changes that a person skipped, ``stubs`` is the number of stubs sent, ``last_stub`` the last one.
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
    saved_at: str = ""
    scanning_since: str = ""
    cluster: Cluster | None = None
    skips: tuple[Skip, ...] = ()
    stubs: int = 0
    last_stub: str = ""
    crashes: Crashes = field(default=NONE, name="deaths")

    @property
    def delivered(self) -> bool:
        """Whether a change was delivered with this ``identity``, according to the checkpoint."""
        return self.checkpoint is not None and self.checkpoint.sequence > 0

    def overdue(self, now: datetime) -> bool:
        """Whether the owner has not written for longer than its lease. It compares two clocks, so it is for people only."""
        if not self.owner or not self.saved_at:
            return False
        return (now - datetime.fromisoformat(self.saved_at)).total_seconds() > self.lease_seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """
    Changes in stream order, and the checkpoint that holds once all of them are delivered. An empty batch is the heartbeat.
    ``size`` is an upper bound of their memory in bytes.
    """

    changes: Sequence[Change]
    checkpoint: Checkpoint
    size: int = 0
