"""Reads a message, and rejects one whose numbers or times no tailer writes."""

import re
from datetime import timedelta

from tailrace.change import Change
from tailrace.message import ChangeMessage, unpack
from tailrace.wire.message import MEMORY, UnreadableMessage

COUNTS = range(2**63)  # of generations and sequences: an int64, as EventBridge reads it, from zero
LANES = range(100_000)  # the most that a stream can have

_stream = re.compile(r"[A-Za-z0-9._-]{1,264}").fullmatch  # the tailer's streams have up to 80 characters, dynamodb.TABLE more

_cluster_time = re.compile(r"[0-9]{1,10}\.[0-9]{1,10}").fullmatch  # two unsigned 32-bit numbers, MongoDB


def read_message(body: str, room: int = MEMORY) -> ChangeMessage:
    """Return the message of a body. The body is treated as hostile, and may need ``room`` bytes of memory."""
    message = unpack(body, room)
    check(message)
    return message


def check(message: ChangeMessage) -> None:
    """
    Raise ``UnreadableMessage`` if no stream has this name or lane; if no tailer writes this number, which as a watermark would
    be above all that follow; or if a time is invalid, so that no event could be dated.
    """
    if not _stream(message.stream):
        raise UnreadableMessage(
            f"the stream's name is {message.stream[:80]!r}; a name has 1 to 264 letters, digits, ., _ and -"
        )
    if message.lane not in LANES:
        raise UnreadableMessage(f"no stream has this lane; lanes are 0 to {LANES[-1]}")
    for number in (message.generation, *(change.sequence for change in message.changes)):
        if number not in COUNTS:
            raise UnreadableMessage(f"{number} is no generation or sequence; they are 0 to {COUNTS[-1]}")
    for change in message.changes:
        if not _is_dated(change):
            raise UnreadableMessage(
                f"change {change.sequence} is dated {change.cluster_time[:40]!r}, {(change.wall_time or '')[:40]!r}; a "
                "clusterTime is SECONDS.INCREMENT, a wallTime RFC 3339 in UTC"
            )


def _is_dated(change: Change) -> bool:
    try:
        return bool(_cluster_time(change.cluster_time)) and change.occurred_at.utcoffset() == timedelta()
    except (ValueError, OverflowError):
        return False
