"""
Ends a stopping task in time, even if a server does not respond.

A call that hangs is abandoned, as in a crash. A checkpoint only covers changes that are in the queue, so nothing is lost; the
lease expires.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

ENDS_AFTER = 19.0  # seconds; a task must end within 20

log = logging.getLogger("tailer")


def keep_deadline(stopping: threading.Event, *, seconds: float = ENDS_AFTER, end: Callable[[int], object] = os._exit) -> None:
    """In the background, ``end`` this process ``seconds`` after ``stopping`` was set, if it still runs."""
    threading.Thread(target=_wait, args=(stopping, seconds, end), name="deadline", daemon=True).start()  # noqa: TID251


def _wait(stopping: threading.Event, seconds: float, end: Callable[[int], object]) -> None:
    stopping.wait()
    time.sleep(seconds)
    try:
        logging_thread = threading.Thread(target=_log, args=(seconds,), daemon=True)  # noqa: TID251 - a full pipe may block
        logging_thread.start()
        logging_thread.join(0.5)
    finally:
        end(0)


def _log(seconds: float) -> None:
    log.warning(
        "this task was still waiting for a server %g s after it was asked to stop, so it ends now. Nothing is lost; the lease "
        "expires by itself",
        seconds,
        extra={"action": "left"},
    )
