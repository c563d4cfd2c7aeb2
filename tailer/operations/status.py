"""The state of a stream: its record, who tails it, its lag and its headroom."""

from datetime import UTC, datetime
from math import isnan
from typing import Any

from tailer.errors import TailerError
from tailer.health.lag import stored_seconds_behind
from tailer.history import headroom, history
from tailer.model import After, Record
from tailer.output import Result
from tailer.parts import Parts
from tailer.stored_form import stored_record
from tailer.times import rfc3339

_NEVER_STARTED = {"checkpoint": "none: this stream was never started"}
_TOKEN_WITHOUT_TIME = "the resume token does not contain a time; the stream's next change sets it"  # noqa: S105 - no secret
_HISTORY_UNKNOWN = "the server does not report how long it keeps history; set TAILER_HISTORY_SECONDS"


def stored(parts: Parts) -> Result:
    stream = parts.settings.stream
    record = parts.store.read(stream)
    return Result(values=record and stored_record(record), shown={stream: described(record) if record else _NEVER_STARTED})


def status(parts: Parts) -> Result:
    """
    Read the record of a stream and measure how far the stream is behind, and how much history is left.

    Raises:
        Unavailable, Misconfigured: the store cannot be read. If only the watched cluster does not respond, the status says so.
    """
    now, stream = datetime.now(UTC), parts.settings.stream
    record, values = parts.store.read(stream), _NEVER_STARTED
    if record:
        values = {
            **described(record),
            "lease": _lease(record, now),
            "scanningSince": (record.scanning_since if record.owner else "") or "no",
            **parts.unmapped(),
            **_distances(parts, record, now),
        }
    return Result(values=values, shown={stream: values})


def _distances(parts: Parts, record: Record, now: datetime) -> dict[str, Any]:
    """How far the stream is behind, and how much history is left; None where that is unknown."""
    if record.checkpoint is None:
        return {"checkpoint": "none: this stream has not opened yet"}
    behind, problem = stored_seconds_behind(record, now), "none"
    try:
        left = headroom(history(parts.source, history_seconds=parts.settings.history_seconds, now=now), record.checkpoint, now)
    except TailerError as error:
        left, problem = None, str(error)
    else:
        if left is None:
            problem = _TOKEN_WITHOUT_TIME if record.checkpoint.reached is None else _HISTORY_UNKNOWN
    return {
        "secondsBehind": None if isnan(behind) else int(behind),
        "headroomSeconds": None if left is None else int(left),
        "headroomProblem": problem,
    }


def _lease(record: Record, now: datetime) -> str:
    if record.overdue(now):
        return f"expired: not renewed since {record.saved_at}, and a lease lasts {record.lease_seconds:g} s"
    return "held" if record.owner else "free"


def described(record: Record) -> dict[str, Any]:
    """A record for a person, by the names that the commands show."""
    return {
        **position(record),
        "owner": record.owner or "nobody",
        "fence": record.fence,
        "savedAt": record.saved_at,
        "watches": record.identity,
        "cluster": str(record.cluster) if record.cluster else "unknown: an older release wrote the checkpoint",
        "gaps": [f"{rfc3339(gap.after)} to {rfc3339(gap.until)}, {gap.accepted_by}: {gap.reason}" for gap in record.gaps],
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
