"""Logs what a command waits for. The scan of a server's history may take an hour."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event

from tailer.background import background
from tailer.waits import WAITS

FIRST, AGAIN = 5.0, 30.0  # seconds until a wait is logged, and until it is logged again
CHECKS = 10  # until the first line

log = logging.getLogger(__name__)


@contextmanager
def waits_logged() -> Iterator[None]:
    """While the block runs, log each wait that takes long, on standard error, and again while it lasts."""
    over = Event()
    WAITS.end()  # until here the program itself started
    background("waiting", partial(_log, over), over)
    try:
        yield
    finally:
        over.set()


def _log(over: Event) -> None:
    due = FIRST
    while not over.wait(FIRST / CHECKS):
        wait = WAITS.longest()
        if wait.seconds < FIRST:
            due = FIRST
        elif wait.seconds >= due:
            due = wait.seconds + AGAIN
            since = datetime.now(UTC) - timedelta(seconds=wait.seconds)
            words = f"{since:%H:%M:%S} UTC ({wait.seconds:.0f} s) for {wait.what}"
            extra = {"action": "waiting", "since": since.isoformat(timespec="seconds"), "seconds": round(wait.seconds)}
            log.warning("waiting since %s; Ctrl-C ends this command", words, extra=extra)
