"""
When an item of the table of watermarks may go: whoever may send to the queue can name streams and lanes without end, and each
message of the tailer's form leaves an item behind.
"""

import re
from collections.abc import Callable, Collection

ATTRIBUTE = "expires"  # seconds since 1970; the table's time to live is on this attribute: tailrace_cdk.messaging.state
KEPT_SECONDS = 45 * 86_400  # as long as a message can lie in three queues one after the other, 14 days in each

_number = re.compile(r"[0-9]{1,5}").fullmatch  # a stream has at most 100,000 lanes: tailer.settings.settings

Expiry = Callable[[str], int | None]
"""A lane's name, ``stream.number``, to the time at which its watermark expires, in seconds since 1970. None: never."""


def never(lane: str) -> None:
    """Of a forwarder that was not told which streams there are."""


def of_unknown(streams: Collection[str], now: Callable[[], float]) -> Expiry:
    """Watermarks of lanes that no stream of these can have expire. Without any stream nothing is unknown."""

    def expires(lane: str) -> int | None:
        stream, _, number = lane.rpartition(".")
        known = stream in streams and _number(number) is not None
        return None if known else int(now()) + KEPT_SECONDS

    return expires if streams else never
