"""The state of a stream: its record, who tails it, its lag and its headroom."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from typing import Any

from tailer.errors import TailerError
from tailer.health.lag import stored_seconds_behind
from tailer.history import headroom
from tailer.model import Gap, OlderGaps, Record
from tailer.output import as_text
from tailer.parts import Parts
from tailer.position import After
from tailer.stored_form import stored_record
from tailer.times import rfc3339


@dataclass(frozen=True, kw_only=True)
class StoredStream:
    """The record of a stream; None if the stream was never started."""

    stream: str
    record: Record | None

    def values(self) -> dict[str, Any] | None:
        return stored_record(self.record) if self.record else None

    def text(self) -> str:
        return as_text(self.stream, described(self.record) if self.record else NEVER_STARTED)


@dataclass(frozen=True, kw_only=True)
class Status:
    """
    The state of a stream. ``seconds_behind`` and ``headroom_seconds`` are None where they are unknown; ``headroom_problem`` is
    why. ``unmapped`` are the collections that no mapper reads.
    """

    stream: str
    record: Record | None
    lease: str = ""
    unmapped: dict[str, Any]
    seconds_behind: int | None = None
    headroom_seconds: int | None = None
    headroom_problem: str = "none"

    def values(self) -> dict[str, Any]:
        record = self.record
        if record is None:
            return NEVER_STARTED
        shown = {
            **described(record),
            "lease": self.lease,
            "scanningSince": (record.scanning_since if record.owner else "") or "no",
            **self.unmapped,
        }
        if record.checkpoint is None:
            return {**shown, "checkpoint": "none: this stream has not opened yet"}
        return {
            **shown,
            "secondsBehind": self.seconds_behind,
            "headroomSeconds": self.headroom_seconds,
            "headroomProblem": self.headroom_problem,
        }

    def text(self) -> str:
        return as_text(self.stream, self.values())


NEVER_STARTED = {"checkpoint": "none: this stream was never started"}


def stored(parts: Parts) -> StoredStream:
    stream = parts.settings.stream
    return StoredStream(stream=stream, record=parts.store.read(stream))


def status(parts: Parts) -> Status:
    """
    Read the record of a stream and measure how far the stream is behind, and how much history is left.

    Raises:
        Unavailable, Misconfigured: the store cannot be read. If only the watched cluster does not respond, the status says so.
    """
    now, stream = datetime.now(UTC), parts.settings.stream
    record = parts.store.read(stream)
    if record is None:
        return Status(stream=stream, record=None, unmapped={})
    unmapped, lease = parts.unmapped(), _lease(record, now)
    if record.checkpoint is None:
        return Status(stream=stream, record=record, lease=lease, unmapped=unmapped)
    behind, problem = stored_seconds_behind(record, now), "none"
    try:
        left = headroom(parts.source, record.checkpoint, history_seconds=parts.settings.history_seconds, now=now)
    except TailerError as error:
        left, problem = None, str(error)
    else:
        if left is None:
            problem = _TOKEN_WITHOUT_TIME if record.checkpoint.reached is None else _HISTORY_UNKNOWN
    return Status(
        stream=stream,
        record=record,
        lease=lease,
        unmapped=unmapped,
        seconds_behind=None if isnan(behind) else int(behind),
        headroom_seconds=None if left is None else int(left),
        headroom_problem=problem,
    )


_TOKEN_WITHOUT_TIME = "the resume token does not contain a time; the stream's next change sets it"  # noqa: S105 - no secret
_HISTORY_UNKNOWN = "the server does not report how long it keeps history; set TAILER_HISTORY_SECONDS"


def _lease(record: Record, now: datetime) -> str:
    if record.overdue(now):
        return f"expired: not renewed since {record.saved_at}, and a lease lasts {record.lease_seconds:g} s"
    return "held" if record.owner else "free"


def described(record: Record) -> dict[str, Any]:
    """A record for a person, by the names that the commands show."""
    older = [f"{record.older_gaps.count} older, {_span(record.older_gaps)}"] if record.older_gaps else []
    return {
        **position(record),
        "owner": record.owner or "nobody",
        "fence": record.fence,
        "savedAt": record.saved_at,
        "watches": record.identity,
        "cluster": str(record.cluster) if record.cluster else "unknown: an older release wrote the checkpoint",
        "gaps": [*older, *(f"{_span(gap)}, {gap.accepted_by}: {gap.reason}" for gap in record.gaps)],
        "skipped": [f"{skip.change}, {skip.by} at {skip.at}: {skip.reason}" for skip in record.skips],
        "stubs": f"{record.stubs}, the last: {record.last_stub}" if record.stubs else "none",
        "problem": record.problem or "none",
        "deaths": str(record.crashes) or "none",
    }


def position(record: Record) -> dict[str, Any]:
    """The position of a record for a person."""
    if (checkpoint := record.checkpoint) is None:
        return {"checkpoint": "none"}
    at = checkpoint.position
    return {
        "deliveredUpTo": rfc3339(at.time) if at.time else None,
        "generation": checkpoint.generation,
        "sequence": checkpoint.sequence,
        "token": at.token if isinstance(at, After) else f"none: starts at {at.time}",
    }


def _span(gap: Gap | OlderGaps) -> str:
    return f"{rfc3339(gap.after)} to {rfc3339(gap.until)}"
