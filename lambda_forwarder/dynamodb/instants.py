"""When a change of a DynamoDB stream was committed, from any form of the record's time that is in use."""

import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

SECONDS_END = 10**10  # of the times that ``clusterTime`` can say, in the year 2286; larger numbers are in smaller units
SCALES = (1, 1_000, 1_000_000, 1_000_000_000)  # seconds, milli-, micro- and nanoseconds: Lambda, Kinesis, other readers
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(NamedTuple):
    """A time as a Change tells it. ``wall_time`` where it is known to the millisecond."""

    cluster_time: str
    wall_time: str | None = None


def instant(told: object, arrived: float) -> Instant:
    """
    The time that ``ApproximateCreationDateTime`` tells: a number of seconds, milli-, micro- or nanoseconds since 1970, the
    text of one, an RFC 3339 text, or a datetime. Without one it is ``arrived``, in seconds since 1970.

    Raises:
        ValueError: it is none of these, or before 1970.
    """
    if told is None:
        return Instant(f"{int(arrived)}.0")
    seconds, milliseconds = _seconds(told)
    if not 0 <= seconds < SECONDS_END:
        raise ValueError(f"ApproximateCreationDateTime is {told!r:.40}, which is no time that a change can have")
    wall_time = EPOCH + timedelta(seconds=seconds, milliseconds=milliseconds)
    return Instant(f"{seconds}.0", f"{wall_time:%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z" if milliseconds else None)


def _seconds(told: object) -> tuple[int, int]:
    """Whole seconds, and the milliseconds beyond them."""
    match told:
        case bool():
            return -1, 0
        case datetime():
            since = (told if told.tzinfo else told.replace(tzinfo=UTC)) - EPOCH
            return since // timedelta(seconds=1), since % timedelta(seconds=1) // timedelta(milliseconds=1)
        case int():
            scale = next((scale for scale in SCALES if told < SECONDS_END * scale), SCALES[-1])
            return told // scale, told % scale * 1_000 // scale
        case float() if math.isfinite(told):
            if told < SECONDS_END:
                return divmod(round(told * 1_000), 1_000)
            return _seconds(int(told))
        case str():
            return _text(told)
        case _:
            return -1, 0


def _text(told: str) -> tuple[int, int]:
    for read in (int, float, datetime.fromisoformat):
        try:
            return _seconds(read(told[:40]))
        except (ValueError, OverflowError):
            continue
    return -1, 0
