"""Threads that work beside the loop. One mechanism, so that an error that nobody foresaw neither ends one nor is lost."""

import logging
from collections.abc import Callable
from threading import Event, Thread  # noqa: TID251 - the one place

log = logging.getLogger(__name__)

PAUSE = 5.0  # seconds between an unforeseen error and the next start


def background(name: str, work: Callable[[], object], over: Event) -> Thread:
    """
    Call ``work`` in a daemon thread. It returns once ``over`` is set; if it raises instead, the error is logged and it is
    called again after a pause.
    """
    thread = Thread(target=_keep_working, args=(name, work, over), name=name, daemon=True)
    thread.start()
    return thread


def attempt(name: str, work: Callable[[], object]) -> bool:
    """Call ``work``; whether it returned. An error that it raises is logged, with its traceback."""
    try:
        work()
    except Exception:
        log.exception("the thread %r failed; the task goes on", name, extra={"action": "thread_failed", "background": name})
        return False
    return True


def _keep_working(name: str, work: Callable[[], object], over: Event) -> None:
    while not attempt(name, work):
        if over.wait(PAUSE):
            return
