"""Background threads beside the loop. An unexpected error neither ends a thread nor is lost."""

import logging
from collections.abc import Callable
from threading import Event, Thread  # noqa: TID251 - the one place

log = logging.getLogger(__name__)

PAUSE = 5.0  # seconds from an unexpected error to the next start


def background(name: str, work: Callable[[], object], over: Event) -> Thread:
    """
    Call ``work`` in a daemon thread. It returns once ``over`` is set. If it raises instead, log the error and call it again
    after a pause.
    """
    thread = Thread(target=_keep_working, args=(name, work, over), name=name, daemon=True)
    thread.start()
    return thread


def attempt(name: str, work: Callable[[], object]) -> bool:
    """Call ``work`` and return whether it returned. An error that it raises is logged, with its traceback."""
    try:
        work()
    except Exception:
        log.exception(
            "the background thread %r failed because of a bug in the tailer. The task continues, and the thread starts again "
            "within %.0f s unless it was ending. Report the traceback",
            *(name, PAUSE),
            extra={"action": "thread_failed", "background": name},
        )
        return False
    return True


def _keep_working(name: str, work: Callable[[], object], over: Event) -> None:
    while not attempt(name, work):
        if over.wait(PAUSE):
            return
