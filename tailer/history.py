"""How long a server keeps the history of changes, and how much of it a stream has left: its headroom, in seconds."""

from datetime import datetime

from tailer.model import Checkpoint
from tailer.ports import Source
from tailer.times import seconds


def history(source: Source, *, history_seconds: int, now: datetime) -> float | None:
    """How many seconds the server's history reaches back. None if neither the server nor ``TAILER_HISTORY_SECONDS`` says."""
    if (oldest := source.oldest()) is not None:
        return now.timestamp() - seconds(oldest)
    return float(history_seconds) if history_seconds else None


def headroom(reaches_back: float | None, checkpoint: Checkpoint | None, now: datetime) -> float | None:
    """Seconds from the oldest of a history that reaches back so far to the checkpoint. None if one of the two is unknown."""
    if reaches_back is None or checkpoint is None or checkpoint.reached is None:
        return None
    return reaches_back - (now.timestamp() - seconds(checkpoint.reached))
