"""Shows what a command waits for, once that takes long: a scan of a server's history may take an hour."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event

from tailer.background import background
from tailer.waits import WAITS

FIRST, AGAIN = 5.0, 30.0  # seconds of a wait until it is shown, and until it is shown again
LOOKS = 10  # until then

log = logging.getLogger(__name__)


@contextmanager
def waiting_shown() -> Iterator[None]:
    """While the block runs: a line of the log, on standard error, for each wait, and again while it lasts."""
    over = Event()
    WAITS.end()  # what took time before was this program's own start
    background("waiting", partial(_show, over), over)
    try:
        yield
    finally:
        over.set()


def _show(over: Event) -> None:
    due = FIRST
    while not over.wait(FIRST / LOOKS):
        wait = WAITS.longest()
        if wait.seconds < FIRST:
            due = FIRST
        elif wait.seconds >= due:
            due = wait.seconds + AGAIN
            since = datetime.now(UTC) - timedelta(seconds=wait.seconds)
            words = f"{since:%H:%M:%S} UTC ({wait.seconds:.0f} s) for {wait.what}"
            extra = {"action": "waiting", "since": since.isoformat(timespec="seconds"), "seconds": round(wait.seconds)}
            log.warning("waiting since %s; Ctrl-C ends this command", words, extra=extra)
