"""The record of a stream, as a test reads it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from tailer.checkpoints.checks import StoredRecord
from tailer.parts import Parts


def record_of(
    parts: Parts,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> StoredRecord:
    """The record of the stream of these parts, not read yet."""
    return StoredRecord(
        stream=parts.settings.stream,
        identity=parts.settings.identity,
        store=lambda: parts.store,
        source=lambda: parts.source,
        watched=parts.cluster,
        now=now,
        clock=clock,
        sleep=sleep,
    )
