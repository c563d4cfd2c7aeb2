"""The position that a person asks for: read from a text, and opened once, so that nobody is sent to a position that is lost."""

import json
import re
from contextlib import closing
from datetime import datetime

from tailer.errors import HistoryLost, Misconfigured
from tailer.model import After, At, Batch, Checkpoint, Position, known_time
from tailer.ports import Source
from tailer.read_limits import ReadLimits
from tailer.times import cluster_time_of, is_time, rfc3339, seconds

_POSITIONS = "beginning, an RFC 3339 time with its zone (2026-11-22T12:12:00Z) or a resume token"
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def asked_for(text: str, source: Source, now: datetime) -> Position:
    """
    Return the position that ``text`` names, once the server has shown that it can continue there. Refuse a time in the future:
    a server waits for such a time without a word.
    """
    to = position(text, source)
    if isinstance(to, At) and seconds(to.time) > now.timestamp():
        raise Misconfigured(f"{rfc3339(to.time)} is in the future: what is committed until then would be skipped")
    return opened(source, to)


def position(text: str, source: Source) -> Position:
    """Return the position of ``beginning``, of an RFC 3339 time, or of a resume token."""
    if text == "beginning":
        oldest = source.oldest()
        if oldest is None:
            raise Misconfigured(
                "--to beginning needs the right to read local.oplog.rs, and DocumentDB has no oplog: give a time"
            )
        return At(oldest)
    try:
        return At(cluster_time_of(text))
    except ValueError:
        if is_time(text) or not _is_token(text):
            raise Misconfigured(f"--to {text} is not a position: {_POSITIONS}") from None
        return After(text)


def opened(source: Source, at: Position) -> Position:
    """
    Return the position, once the server has shown that it can continue there. ``HistoryLost`` may also mean that the token is
    of another cluster. A token whose time is unknown gets the time of the next change, if there is one.
    """
    start = Checkpoint(position=at)
    with closing(source.batches(start, ReadLimits())) as batches:
        batch = next(batches, Batch(changes=(), checkpoint=start))
    if isinstance(at, At) or at.time:
        return at
    return After(at.token, known_time(batch.changes[0]) if batch.changes else batch.checkpoint.reached)


def resumable(source: Source, at: Position) -> bool:
    try:
        opened(source, at)
    except HistoryLost:
        return False
    return True


def _is_token(text: str) -> bool:
    """Whether it is written like a token: hex of whole bytes, or JSON where a server has tokens of another kind."""
    try:
        return bool(_HEX.fullmatch(text)) or isinstance(json.loads(text), dict)
    except ValueError:
        return False
