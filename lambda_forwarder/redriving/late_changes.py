"""Which changes are late: a newer change of their document was published, as far as that is known."""

from collections.abc import Iterable, Mapping

from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import TimeLeft, Watermarks
from lambda_forwarder.redriving.outcome import RedrivenChange
from tailrace.message import ChangeMessage
from tailrace.wire.identity import digest
from tailrace.wire.message import group_id

LANE_LIMIT = 128  # characters, SQS, a message group: no lane of the tailer has a longer name
KNOWN = 50_000  # documents, and lanes, whose newest change is remembered: about 12 MB each

Position = tuple[int, int]
"""(generation, sequence)"""


class LateChanges:
    """
    Knows what this redrive published, by document for the last ``KNOWN`` documents, then by lane. Knows what was published
    before by the watermark of the lane, which other documents of the lane advance too.
    """

    def __init__(self, watermarks: Watermarks | None) -> None:
        self._watermarks = watermarks
        self._marks: Mapping[str, Watermark] = {}
        self._documents: dict[bytes, tuple[Position, bytes]] = {}  # with the lane; the document published last is the last
        self._lanes: dict[bytes, Position] = {}  # of documents that are no longer remembered
        self._lanes_forgotten = False

    def read_watermarks(self, changes: Iterable[RedrivenChange], time_left: TimeLeft) -> None:
        if self._watermarks:
            lanes = {change.lane for change in changes if len(change.lane) <= LANE_LIMIT}
            self._marks = self._watermarks.read(lanes, time_left)

    def is_late(self, change: RedrivenChange) -> bool:
        """
        Whether the change is late. If no watermark is kept for its lane, a parked change is, because the forwarder went on
        after it; a dead letter is not, because nothing of its lane was published.
        """
        known = self._documents.get(digest(change.change.document))
        newest = known[0] if known else self._lanes.get(digest(change.lane), change.position)
        if change.position < newest or (self._lanes_forgotten and known is None):
            return True
        mark = self._marks.get(change.lane)
        if mark is None:
            return self._watermarks is None or change.outcome.queue.is_parking
        return change.position < mark.position

    def published(self, message: ChangeMessage) -> None:
        """Remember that all changes of the message were published now."""
        lane = digest(group_id(message.stream, message.lane))
        for change in message.changes:
            document, position = digest(change.document), (message.generation, change.sequence)
            before, _ = self._documents.pop(document, (position, lane))
            self._documents[document] = max(position, before), lane
        while len(self._documents) > KNOWN:
            position, lane = self._documents.pop(next(iter(self._documents)))
            self._lanes[lane] = max(position, self._lanes.get(lane, position))
        if len(self._lanes) > KNOWN:
            self._lanes.clear()
            self._lanes_forgotten = True
