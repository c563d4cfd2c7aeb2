"""The watermark of a lane: a change at or below it was published before, so it is dropped."""

import re
from collections.abc import Sequence

from msgspec import Struct

from tailrace.change import Change

_cluster_time = re.compile(r"([0-9]{1,10})\.([0-9]{1,10})").fullmatch  # two unsigned 32-bit numbers, MongoDB


class Watermark(Struct, frozen=True, kw_only=True):
    """The last change of a lane that was published, and its commit time (``"seconds.increment"``)."""

    generation: int
    sequence: int
    cluster_time: str

    @property
    def position(self) -> tuple[int, int]:
        """The place in the order of a stream."""
        return self.generation, self.sequence

    def covers(self, generation: int, change: Change) -> bool:
        """Whether the change was published before."""
        return (generation, change.sequence) <= self.position and not self.is_renumbered(generation, change)

    def is_renumbered(self, generation: int, change: Change) -> bool:
        """
        Whether the change was committed after the watermark, although its number in the same generation is not above it.

        It is no repeat then: the stream lost its checkpoint, and its numbers restarted.
        """
        counted = generation == self.generation and change.sequence <= self.sequence
        return counted and instant(change.cluster_time) > instant(self.cluster_time)


def reached(generation: int, changes: Sequence[Change]) -> Watermark:
    """The watermark of a lane after these changes were published."""
    last = max(changes, key=lambda change: change.sequence)
    seconds, increment = instant(last.cluster_time)
    return Watermark(generation=generation, sequence=last.sequence, cluster_time=f"{seconds}.{increment}")


def instant(cluster_time: str) -> tuple[int, int]:
    """The cluster time as numbers that can be compared; zero if it has another form."""
    found = _cluster_time(cluster_time)
    return (int(found[1]), int(found[2])) if found else (0, 0)
