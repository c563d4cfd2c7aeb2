"""The lease of a stream, for a person's decision."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tailer.checkpoints.lease import Lease
from tailer.cli.interrupts import INTERRUPTS
from tailer.errors import Misconfigured
from tailer.parts import Parts
from tailer.waits import WAITS

_POLL = 0.2  # seconds


@contextmanager
def lease_to_decide(parts: Parts) -> Iterator[Lease]:
    """
    The stream's lease, released behind the block whatever ends it, an interrupt too. A task that is gone keeps it for its own
    lease time, one that lives keeps it for good.

    Raises:
        Misconfigured: a task lives.
    """
    candidate, found = parts.candidate, parts.store.read(parts.settings.stream)
    deadline = time.monotonic() + (found.lease_seconds if found else 0) + 1
    with ExitStack() as held:
        with WAITS.on(f"the lease of stream {parts.settings.stream!r}, which {found.owner if found else 'nobody'} has"):
            while True:
                with INTERRUPTS.shielded():
                    if lease := candidate.try_acquire_to_decide():
                        held.enter_context(_released(lease))
                        break
                if time.monotonic() > deadline:
                    raise Misconfigured(
                        f"a task tails stream {parts.settings.stream!r}: stop that task first, then run this command again"
                    )
                time.sleep(_POLL)
        yield lease


@contextmanager
def _released(lease: Lease) -> Iterator[None]:
    lease.__enter__()
    try:
        yield
    finally:
        with INTERRUPTS.shielded():
            lease.__exit__()
