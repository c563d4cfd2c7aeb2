"""The watermarks of one invocation: read at once for all its lanes, then moved as its messages go by."""

import logging
from collections.abc import Collection, Iterable

from msgspec.structs import replace

from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.watermark import Watermark, reached
from lambda_forwarder.ports import TimeLeft, Watermarks
from tailrace.message import ChangeMessage

ANEW = (
    "the sequence numbers of lane %s restarted below its watermark, %s: the stream's checkpoint was lost or replaced. Its "
    "changes are published, but repeats are not dropped until the numbers reach the watermark. To fix it, start a new "
    "generation with tailer checkpoint rewind"
)

log = logging.getLogger(__name__)


class Progress:
    """
    How far the lanes of these deliveries are published. Without ``watermarks`` everything counts as never published.

    A failed read is tried again for the next message that needs it, so it holds back one message and its group.
    """

    def __init__(self, watermarks: Watermarks | None, deliveries: Iterable[Delivery]) -> None:
        self._watermarks = watermarks
        self._lanes: Collection[str] = {delivery.group for delivery in deliveries if delivery.group != delivery.id}
        self._read: dict[str, Watermark] | None = None
        self.moved: set[str] = set()  # the lanes whose watermarks were moved

    def lane(self, delivery: Delivery, message: ChangeMessage) -> str | None:
        """The lane to keep the watermark of; nothing where none applies."""
        return delivery.lane_of(message) if self._watermarks else None

    def unpublished(self, lane: str | None, message: ChangeMessage, time_left: TimeLeft) -> ChangeMessage:
        """
        The message without the changes that were published before.

        Raises: as ``Watermarks.read``.
        """
        mark = self._marks(time_left).get(lane) if lane else None
        if mark is None:
            return message
        if any(mark.is_renumbered(message.generation, change) for change in message.changes):
            log.warning(ANEW, lane, mark.position, extra={"action": "lane_counts_anew"})
        fresh = tuple(change for change in message.changes if not mark.covers(message.generation, change))
        return replace(message, changes=fresh)

    def published(self, lane: str | None, message: ChangeMessage) -> None:
        """
        Return only once the lane's watermark durably stands at the message's last change, or beyond. It does not look at the
        time: without it the work was for nothing.

        Raises: as ``Watermarks.advance``.
        """
        if not (self._watermarks and self._read is not None and lane and message.changes):
            return
        mark, now = self._read.get(lane), reached(message.generation, message.changes)
        if mark is None or mark.position < now.position:
            self._watermarks.advance(lane, now)
            self._read[lane] = now
            self.moved.add(lane)

    def _marks(self, time_left: TimeLeft) -> dict[str, Watermark]:
        if self._read is None:
            self._read = dict(self._watermarks.read(self._lanes, time_left)) if self._watermarks else {}
        return self._read
