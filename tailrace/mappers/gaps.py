"""
The event of a gap: a part of the stream's history is lost.

The database no longer had the history that the tailer needed, and a person accepted this with ``tailer checkpoint accept-gap``.
A consumer that builds state from the events should compare it with the source for the time between ``from`` and ``to``.
"""

from datetime import datetime

import msgspec

from tailrace import Change, DomainEvent


class StreamGapDetected(DomainEvent, source="app.tailrace"):
    """
    Changes of a stream between ``from`` and ``to`` were lost; their events will never be published.

    ``from`` is null if no change of the stream was read before. A person wrote ``acceptedBy`` and ``reason``.
    """

    stream: str
    from_: datetime | None = msgspec.field(name="from")
    to: datetime
    accepted_by: str
    reason: str
    accepted_at: datetime


def stream_gap_detected(change: Change) -> StreamGapDetected:
    """A person accepted a gap. The tailer sends this change itself, in the order of the stream, in place of the lost ones."""
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
