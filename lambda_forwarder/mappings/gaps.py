"""
The one event that no document's change means: a piece of the stream's history is missing for good.

The database no longer had the history that the tailer needed, and a person accepted it with ``tailer checkpoint accept-gap``.
Whoever keeps a state from a stream's events should compare it with the source for the time between ``from`` and ``to``.
"""

from datetime import datetime

import msgspec

from tailrace import Change, DomainEvent


class StreamGapDetected(DomainEvent, source="app.tailrace"):
    """
    Changes of a stream committed after ``from`` and before ``to`` were lost before they could be told, and will not be.

    ``from`` is null when nothing was told of the stream before. ``acceptedBy`` and ``reason`` are a person's words.
    """

    stream: str
    from_: datetime | None = msgspec.field(name="from")
    to: datetime
    accepted_by: str
    reason: str
    accepted_at: datetime


def stream_gap_detected(change: Change) -> StreamGapDetected:
    """A gap was accepted. The tailer writes this change itself, in the stream's order, at the place of what is missing."""
    gap = change.full_document or {}
    return StreamGapDetected(
        stream=gap["stream"],
        from_=_time(gap["from"]) if gap["from"] is not None else None,
        to=_time(gap["to"]),
        accepted_by=gap["acceptedBy"],
        reason=gap["reason"],
        accepted_at=_time(gap["acceptedAt"]),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
