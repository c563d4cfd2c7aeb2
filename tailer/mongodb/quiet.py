"""
The position of an idle stream on a server without post-batch tokens: DocumentDB before 5.0 patch 3.0.11800.

There the last event's token ages out while nothing happens. But a server that has found nothing for a while has looked past
the time it told at the beginning of that while, so the stream may go on behind that time instead.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from tailer.mongodb.change_events import reply_time

log = logging.getLogger(__name__)

QUIET = 300.0  # seconds of nothing but empty replies: far more than any server takes to show what it has committed


class Quiet:
    """How long nothing but empty replies came, and what time it was on the server when that began."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: tuple[float, str] | None = None
        self._told = False

    def broken(self) -> None:
        """A change came."""
        self._since = None

    def passed(self, reply: Mapping[str, Any]) -> str | None:
        """The cluster time that an empty reply shows to be passed by; nothing while it is not quiet for long enough."""
        if (server_time := reply_time(reply)) is None:
            return None
        here = self._clock(), server_time
        began, time = self._since = self._since or here
        if here[0] - began < QUIET:
            return None
        self._since = here
        if not self._told:
            self._told = True
            log.info(
                "the server gives no post-batch tokens: the idle stream keeps its place by cluster time",
                extra={"action": "position_by_time"},
            )
        return time
