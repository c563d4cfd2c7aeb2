"""How far behind a stream is: one definition for ``/healthz``, ``/readyz``, the metric ``Lag``, its alarm and ``status``."""

from datetime import UTC, datetime
from math import nan

from tailer.model import Checkpoint, Record
from tailer.times import seconds


def seconds_behind(checkpoint: Checkpoint | None, *, seen: datetime, now: datetime, reading: bool) -> float:
    """
    Seconds between the time of the position and now; everything committed up to that time is in the queue. NaN is unknown.

    ``seen`` is when the position was reported: a time later than that comes from a server whose clock is ahead, and counts as
    ``seen``. ``reading``: the stream is being read now. Where its last reply was empty and had no post-batch token, it may be
    idle or behind, and nobody knows.
    """
    if checkpoint is None or checkpoint.reached is None or (reading and checkpoint.unconfirmed):
        return nan
    reached = min(datetime.fromtimestamp(seconds(checkpoint.reached), tz=UTC), seen)
    return max(0.0, (now - reached).total_seconds())


def stored_seconds_behind(record: Record, now: datetime) -> float:
    """The same of a stored record: as of the last write, which a live owner repeats a few times in every lease."""
    seen = datetime.fromisoformat(record.saved_at) if record.saved_at else now
    reading = bool(record.owner) and not record.overdue(now)
    return seconds_behind(record.checkpoint, seen=seen, now=now, reading=reading)
