"""Wait for a condition, instead of sleeping for a time that a loaded machine exceeds."""

import time
from collections.abc import Callable

SECONDS = 60.0  # far more than a loaded machine needs; only a failure takes as long


def eventually(holds: Callable[[], object], seconds: float = SECONDS) -> bool:
    """Return True as soon as the condition holds, and False if it does not hold within this time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
