"""Which events come late: something newer of their document was published, as far as anybody knows."""

from collections.abc import Iterable, Mapping

from contract.message import ChangeMessage
from lambda_forwarder.ports import TimeLeft, Watermarks
from lambda_forwarder.redriving.piece import Piece
from lambda_forwarder.watermarks.watermark import Watermark

LANE_LIMIT = 128  # characters, SQS, a MessageGroupId: no lane of a tailer's has a longer name


class Lateness:
    """
    What is known of documents and lanes. What was published here is known exactly; what was published before, by its lane's
    watermark, which other documents move too.
    """

    def __init__(self, watermarks: Watermarks | None) -> None:
        self._watermarks = watermarks
        self._marks: Mapping[str, Watermark] = {}
        self._newest: dict[str, tuple[int, int]] = {}  # by document

    def look(self, pieces: Iterable[Piece], time_left: TimeLeft) -> None:
        """
        Read the watermarks of their lanes.

        Raises: as ``Watermarks.read``.
        """
        if self._watermarks:
            lanes = {piece.lane for piece in pieces if len(piece.lane) <= LANE_LIMIT}
            self._marks = self._watermarks.read(lanes, time_left)

    def of(self, piece: Piece) -> bool:
        """
        Whether the piece comes late. Where no watermark is kept the forwarder went on all the same, supposedly; only of a
        dead letter it is known that nothing of its lane was published.
        """
        place = piece.message.generation, piece.change.sequence
        if place < self._newest.get(piece.change.document, place):
            return True
        mark = self._marks.get(piece.lane)
        if mark is None:
            return self._watermarks is None or piece.taken.shelf.parked
        return place < mark.position

    def published(self, run: ChangeMessage) -> None:
        """All of these were, just now."""
        for change in run.changes:
            place = run.generation, change.sequence
            self._newest[change.document] = max(place, self._newest.get(change.document, place))
