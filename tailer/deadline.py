"""
A task that was asked to stop ends in time, even if a server does not respond.

A call that hangs (a read may hang for a minute, and several servers one after the other) is abandoned, as in a crash. A
checkpoint only covers changes that are in the queue, so nothing is lost; the lease expires by itself.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

ENDS_AFTER = 19.0  # seconds: the promise is 20

log = logging.getLogger("tailer")


def keep_deadline(stopping: threading.Event, *, seconds: float = ENDS_AFTER, end: Callable[[int], object] = os._exit) -> None:
    """Watch from the background: ``end`` this process ``seconds`` after ``stopping`` was set, if it is still there."""
    threading.Thread(target=_watch, args=(stopping, seconds, end), name="deadline", daemon=True).start()  # noqa: TID251


def _watch(stopping: threading.Event, seconds: float, end: Callable[[int], object]) -> None:
    stopping.wait()
    time.sleep(seconds)
    try:
        saying = threading.Thread(target=_say, args=(seconds,), daemon=True)  # noqa: TID251 - whoever reads the log may hang
        saying.start()
        saying.join(0.5)
    finally:
        end(0)


def _say(seconds: float) -> None:
    extra = {"action": "left"}
    log.warning(
        "this task was still waiting for a server %g s after it was asked to stop, so it ends now. Nothing is lost; the lease "
        "expires by itself",
        seconds,
        extra=extra,
    )
