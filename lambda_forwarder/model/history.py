"""The history of one document: the values of its remembered fields after its last changes, and where each was in the stream."""

from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from lambda_forwarder.model.watermark import instant
from tailrace.change import Change
from tailrace.questions.states import State
from tailrace.wire.change import canonical  # True, 1 and 1.0 are equal in Python
from tailrace.wire.identity import digest

KEPT = 20  # versions, beside those of the changes that are mapped together


class Position(Struct, frozen=True, kw_only=True):
    """The place of a change in its stream. ``time`` is its cluster time, ``id`` a digest of its id."""

    time: tuple[int, int]
    generation: int
    sequence: int
    id: str

    @classmethod
    def of(cls, change: Change, generation: int) -> Self:
        return cls(
            time=instant(change.cluster_time),
            generation=generation,
            sequence=change.sequence,
            id=digest(change.id, 8).hex(),
        )

    def compared(self, other: "Position") -> int | None:
        """
        Return -1, 0 or 1: this change is before, is the same as, or is after the other. None: their order is unknown.

        In one generation the sequence decides, and the time must agree: if it does not, the stream was renumbered. Between
        generations the time decides, and changes of one transaction have the same time.
        """
        if self.id == other.id:
            return 0
        by_time = _sign(self.time, other.time)
        if self.generation != other.generation:
            return by_time or None
        by_number = _sign((self.sequence, 0), (other.sequence, 0))
        return by_number if by_number and by_time in (0, by_number) else None


def _sign(one: tuple[int, int], other: tuple[int, int]) -> int:
    return (one > other) - (one < other)


class Version(Struct, frozen=True, kw_only=True):
    """The values after the change at this position, and until the next version."""

    at: Position
    state: State


class History(Struct, frozen=True, kw_only=True):
    """
    What is known of a document.

    ``last`` is the latest change of the document that was mapped. ``generation`` is the latest generation that read a change
    of the document: from there on its changes are complete. ``versions`` are in the order of the stream, and a change that
    changes no remembered value has none. There is always one. ``deleted``: the last change deleted the document.
    """

    last: Position
    generation: int
    versions: tuple[Version, ...]
    deleted: bool = False

    def around(self, at: Position) -> tuple[State, State] | None:
        """
        Return the values before and after this change, which was mapped before. None: it is a new change, or the order is
        unknown. Values of which nothing is kept are missing.
        """
        order = at.compared(self.last)
        if order is None or order > 0:
            return None
        before: State = {}
        after: State = {}
        for version in self.versions:
            match version.at.compared(at):
                case None:
                    return {}, {}
                case -1:
                    before = after = version.state
                case 0:
                    after = version.state
        return before, after

    def follows(self, at: Position) -> bool:
        """Whether this change is the next one of the document, so that the last version holds just before it."""
        return at.compared(self.last) == 1 and at.generation == self.generation

    def read_again(self, generation: int) -> "History":
        """Return the history after this generation read a change again."""
        return replace(self, generation=max(generation, self.generation))

    def with_next(self, at: Position, state: State, change: Change) -> "History":
        """Return the history after the next change, which left this state."""
        versions = (
            self.versions
            if canonical(state) == canonical(self.versions[-1].state)
            else (*self.versions, Version(at=at, state=state))
        )
        return replace(self, last=at, versions=versions, deleted=change.deleted)

    def shortened(self, since: Position) -> "History":
        """Return the history without old versions. Those of changes from ``since`` on are kept."""
        older = [version for version in self.versions if version.at.compared(since) == -1]
        dropped = max(0, min(len(older), len(self.versions) - KEPT))
        return replace(self, versions=self.versions[dropped:])


def begun(at: Position, state: State, change: Change) -> History:
    """The history of a document whose changes before this one are unknown."""
    return History(last=at, generation=at.generation, versions=(Version(at=at, state=state),), deleted=change.deleted)
