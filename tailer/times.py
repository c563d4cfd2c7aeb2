"""Cluster times, ``"seconds.increment"``, and what they are for people."""

import re
from datetime import UTC, datetime

_LATEST = 2**32 - 1  # seconds, what a BSON timestamp can hold


def seconds(cluster_time: str) -> int:
    """Seconds since 1970."""
    return int(cluster_time.partition(".")[0])


def time_of(cluster_time: str) -> tuple[int, int]:
    """Seconds and increment: what orders cluster times. No event has the increment 0: it is the beginning of its second."""
    first, _, second = cluster_time.partition(".")
    return int(first), max(1, int(second))


def rfc3339(cluster_time: str | None) -> str:
    """The time of day, in UTC, to the second; says so where the time is unknown."""
    if cluster_time is None:
        return "an unknown time"
    return datetime.fromtimestamp(seconds(cluster_time), tz=UTC).isoformat().replace("+00:00", "Z")


def cluster_time_of(text: str) -> str:
    """
    The first cluster time of the second that an RFC 3339 time names.

    Raises:
        ValueError: not a time with its offset, or one that no server can start at.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset, e.g. 2026-01-31T12:00:00Z")
    if not 0 <= moment.timestamp() <= _LATEST:
        raise ValueError("no server has history of that time: it must be between 1970 and 2106")
    return f"{int(moment.timestamp())}.1"


def is_cluster_time(text: str) -> bool:
    """Whether it is ``"seconds.increment"``, within what a BSON timestamp can hold."""
    return bool(re.fullmatch(r"\d+\.\d+", text, re.ASCII)) and all(int(part) <= _LATEST for part in text.split("."))


def is_time(text: str) -> bool:
    """Whether ISO 8601 takes the text for a date or a time of a day, with or without an offset."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
