"""
Mappers to use as they are, beside those of a project.

    from tailrace.mappers import Outbox, data_changed
"""

from tailrace.mappers.data_changes import DataChanged, data_changed
from tailrace.mappers.gaps import StreamGapDetected
from tailrace.mappers.outbox import Outbox, OutboxError

__all__ = ["DataChanged", "Outbox", "OutboxError", "StreamGapDetected", "data_changed"]
