"""Cluster times, ``"seconds.increment"``, and their text for people."""

import re
from datetime import UTC, datetime

_LATEST = 2**32 - 1  # seconds, what a BSON timestamp can hold


def now() -> datetime:
    """Return the time of day, in UTC."""
    return datetime.now(UTC)


def seconds(cluster_time: str) -> int:
    """Return the seconds since 1970."""
    return int(cluster_time.partition(".")[0])


def time_of(cluster_time: str) -> tuple[int, int]:
    """Return seconds and increment, which order cluster times. Increment 0 is the beginning of the second: no event has it."""
    first, _, second = cluster_time.partition(".")
    return int(first), max(1, int(second))


def rfc3339(cluster_time: str | None) -> str:
    """Return the time in UTC, to the second, or the words "an unknown time"."""
    if cluster_time is None:
        return "an unknown time"
    return datetime.fromtimestamp(seconds(cluster_time), tz=UTC).isoformat().replace("+00:00", "Z")


def cluster_time_of(text: str) -> str:
    """
    Return the first cluster time in the second of an RFC 3339 time. ValueError: it has no offset, or no server can start at it.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset, e.g. 2026-01-31T12:00:00Z")
    if not 0 <= moment.timestamp() <= _LATEST:
        raise ValueError("no server has history of that time: it must be between 1970 and 2106")
    return f"{int(moment.timestamp())}.1"


def is_cluster_time(text: str) -> bool:
    """Whether the text is ``"seconds.increment"``, within the limits of a BSON timestamp."""
    return bool(re.fullmatch(r"\d+\.\d+", text, re.ASCII)) and all(int(part) <= _LATEST for part in text.split("."))


def is_time(text: str) -> bool:
    """Whether the text is a date or a time in ISO 8601, with or without an offset."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
