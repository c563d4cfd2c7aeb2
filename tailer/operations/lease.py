"""The lease of a stream, for a person's decision."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tailer.checkpoints.lease import Lease
from tailer.errors import Misconfigured
from tailer.model import Record
from tailer.operations.interrupts import INTERRUPTS
from tailer.parts import Parts
from tailer.waits import WAITS

_POLL = 0.2  # seconds


def record_of(parts: Parts) -> Record:
    """Read the record of a stream; an empty one if the stream was never started."""
    stream = parts.settings.stream
    return parts.store.read(stream) or Record(stream=stream)


@contextmanager
def lease_to_decide(parts: Parts) -> Iterator[Lease]:
    """
    Hold the stream's lease, and release it whatever ends the block. A task that ended without a release keeps the lease for its
    lease time.

    Raises:
        Misconfigured: a task tails the stream.
    """
    found = record_of(parts)
    deadline = time.monotonic() + found.lease_seconds + 1
    with ExitStack() as held:
        with WAITS.on(f"the lease of stream {found.stream!r}, which {found.owner or 'nobody'} has"):
            while True:
                with INTERRUPTS.shielded():
                    if lease := parts.candidate.try_acquire_to_decide():
                        held.enter_context(_released(lease))
                        break
                if time.monotonic() > deadline:
                    raise Misconfigured(
                        f"a task tails stream {found.stream!r}: stop that task first, then run this command again"
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
