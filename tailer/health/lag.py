"""The lag of a stream: one definition for ``/healthz``, ``/readyz``, the metric ``Lag``, its alarm and ``tailer status``."""

from datetime import UTC, datetime
from math import nan

from tailer.model import Checkpoint, Record
from tailer.times import seconds


def seconds_behind(checkpoint: Checkpoint | None, *, seen: datetime, now: datetime, reading: bool) -> float:
    """
    Seconds from the time of the position until now. Every change up to that time is in the queue. NaN means unknown.

    ``seen`` is when the position was reported. A position later than that comes from a server whose clock is ahead, and counts
    as ``seen``. ``reading``: the stream is being read now. If the last reply was then empty and had no post-batch token, the
    stream may be idle or behind, so the lag is unknown.
    """
    if checkpoint is None or checkpoint.reached is None or (reading and checkpoint.unconfirmed):
        return nan
    reached = min(datetime.fromtimestamp(seconds(checkpoint.reached), tz=UTC), seen)
    return max(0.0, (now - reached).total_seconds())


def stored_seconds_behind(record: Record, now: datetime) -> float:
    """The lag by a stored record, as of its last write. An owner writes it a few times in every lease."""
    seen = datetime.fromisoformat(record.saved_at) if record.saved_at else now
    reading = bool(record.owner) and not record.overdue(now)
    return seconds_behind(record.checkpoint, seen=seen, now=now, reading=reading)
