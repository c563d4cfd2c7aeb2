"""Which events come late: something newer of their document was published, as far as anybody knows."""

import hashlib
from collections.abc import Iterable, Mapping

from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import TimeLeft, Watermarks
from lambda_forwarder.redriving.piece import Piece
from tailrace.message import ChangeMessage
from tailrace.wire.message import group_id

LANE_LIMIT = 128  # characters, SQS, a MessageGroupId: no lane of a tailer's has a longer name
KNOWN = 50_000  # documents, and lanes, whose newest change is remembered: about 12 MB each

Place = tuple[int, int]
"""(generation, sequence)"""


class Lateness:
    """
    What is known of documents and lanes. What was published here is known by document, for as many as are remembered, then by
    lane; what was published before, by its lane's watermark. Other documents move a lane too.
    """

    def __init__(self, watermarks: Watermarks | None) -> None:
        self._watermarks = watermarks
        self._marks: Mapping[str, Watermark] = {}
        self._documents: dict[bytes, tuple[Place, bytes]] = {}  # with the lane; the one published last is the last
        self._lanes: dict[bytes, Place] = {}  # of documents that are no longer remembered
        self._forgotten = False  # lanes too

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
        known = self._documents.get(digest(piece.change.document))
        newest = known[0] if known else self._lanes.get(digest(piece.lane), place)
        if place < newest or (self._forgotten and known is None):
            return True
        mark = self._marks.get(piece.lane)
        if mark is None:
            return self._watermarks is None or piece.taken.shelf.parked
        return place < mark.position

    def published(self, run: ChangeMessage) -> None:
        """All of these were, just now."""
        lane = digest(group_id(run.stream, run.lane))
        for change in run.changes:
            document, place = digest(change.document), (run.generation, change.sequence)
            before, _ = self._documents.pop(document, (place, lane))
            self._documents[document] = max(place, before), lane
        while len(self._documents) > KNOWN:
            place, lane = self._documents.pop(next(iter(self._documents)))
            self._lanes[lane] = max(place, self._lanes.get(lane, place))
        if len(self._lanes) > KNOWN:
            self._lanes.clear()
            self._forgotten = True


def digest(name: str) -> bytes:
    """A name of any length in 16 bytes."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
