"""What redrive orders: one change of a message that it took."""

from typing import NamedTuple

from lambda_forwarder.redriving.backlog import Taken
from tailrace.change import Change
from tailrace.message import ChangeMessage
from tailrace.wire.message import group_id


class Piece(NamedTuple):
    """One change of a taken message, in a message of its own."""

    taken: Taken
    message: ChangeMessage

    @property
    def change(self) -> Change:
        return self.message.changes[0]

    @property
    def lane(self) -> str:
        return group_id(self.message.stream, self.message.lane)

    @property
    def place(self) -> tuple[str, int, int]:
        """What it is ordered by."""
        return self.message.stream, self.message.generation, self.change.sequence


def together(piece: Piece) -> tuple[int, int]:
    """What may be published at once: neighbours from one message."""
    return id(piece.taken), piece.message.generation
