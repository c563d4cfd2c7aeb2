"""Reads the commit time of a DynamoDB stream record, in any form that is in use."""

import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

SECONDS_END = 10**10  # end of the times in a ``clusterTime``, in the year 2286; larger numbers are in smaller units
SCALES = (1, 1_000, 1_000_000, 1_000_000_000)  # seconds, milli-, micro- and nanoseconds: Lambda, Kinesis, other readers
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INVALID = -1


class Instant(NamedTuple):
    """The times of a Change. ``wall_time`` is set if the time has milliseconds."""

    cluster_time: str
    wall_time: str | None = None


def instant(value: object, arrived: float) -> Instant:
    """
    Read ``ApproximateCreationDateTime``: a number of seconds, milli-, micro- or nanoseconds since 1970, the text of one, an RFC
    3339 text, or a datetime. If it is missing, return ``arrived``, in seconds since 1970. Raise ``ValueError`` for any other
    form, and for a time before 1970.
    """
    if value is None:
        return Instant(f"{int(arrived)}.0")
    seconds, milliseconds = divmod(_milliseconds(value), 1_000)
    if not 0 <= seconds < SECONDS_END:
        raise ValueError(f"ApproximateCreationDateTime is {value!r:.40}, which is not a valid time")
    wall_time = EPOCH + timedelta(seconds=seconds, milliseconds=milliseconds)
    return Instant(f"{seconds}.0", f"{wall_time:%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z" if milliseconds else None)


def _milliseconds(value: object) -> int:
    match value:
        case bool():
            return INVALID
        case datetime():
            return ((value if value.tzinfo else value.replace(tzinfo=UTC)) - EPOCH) // timedelta(milliseconds=1)
        case int():
            scale = next((scale for scale in SCALES if value < SECONDS_END * scale), SCALES[-1])
            return value * 1_000 // scale
        case float() if math.isfinite(value):
            return round(value * 1_000) if value < SECONDS_END else _milliseconds(int(value))
        case str():
            for read in (int, float, datetime.fromisoformat):
                try:
                    return _milliseconds(read(value[:40]))
                except (ValueError, OverflowError):
                    continue
    return INVALID
