"""How far a lane was published: what is at or below that place is a repeat, and is dropped."""

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from tailrace.change import Change
from tailrace.message import ChangeMessage
from tailrace.wire.message import deduplication_id, group_id

_cluster_time = re.compile(r"([0-9]{1,10})\.([0-9]{1,10})").fullmatch  # two unsigned 32-bit numbers, MongoDB


class Watermark(Struct, frozen=True, kw_only=True):
    """The last change of a lane that was published, and when it was committed (``"seconds.increment"``)."""

    generation: int
    sequence: int
    cluster_time: str

    @property
    def position(self) -> tuple[int, int]:
        """What orders everything of a stream."""
        return self.generation, self.sequence

    def covers(self, generation: int, change: Change) -> bool:
        """Whether the change was published before."""
        return (generation, change.sequence) <= self.position and not self.is_renumbered(generation, change)

    def is_renumbered(self, generation: int, change: Change) -> bool:
        """
        Whether the change was committed after the watermark, although its number in the same generation is not above it.

        It is no repeat then: the stream lost its checkpoint and counts anew.
        """
        counted = generation == self.generation and change.sequence <= self.sequence
        return counted and _instant(change.cluster_time) > _instant(self.cluster_time)


def reached(generation: int, changes: Sequence[Change]) -> Watermark:
    """The watermark of a lane once these are published."""
    last = max(changes, key=_sequence)
    seconds, increment = _instant(last.cluster_time)
    return Watermark(generation=generation, sequence=last.sequence, cluster_time=f"{seconds}.{increment}")


def lane_of(record: dict[str, Any], message: ChangeMessage) -> str | None:
    """
    The lane whose order the message keeps, by its group's name; nothing when somebody has sent the message again.

    The tailer's own sends are known by their group and their deduplication id. SQS gives a message that was a dead letter
    another id, and so does whoever sends a parked change again: they come late on purpose, so no watermark may drop them.
    """
    attributes = record["attributes"]
    lane = group_id(message.stream, message.lane)
    ids = [change.id for change in message.changes]
    own = deduplication_id(stream=message.stream, generation=message.generation, lane=message.lane, ids=ids)
    first_sent = attributes.get("MessageDeduplicationId") == own and "DeadLetterQueueSourceArn" not in attributes
    return lane if first_sent and attributes.get("MessageGroupId") == lane else None


def _sequence(change: Change) -> int:
    return change.sequence


def _instant(cluster_time: str) -> tuple[int, int]:
    """Comparable; the beginning of time for what is not of the form, which belies nothing."""
    found = _cluster_time(cluster_time)
    return (int(found[1]), int(found[2])) if found else (0, 0)
