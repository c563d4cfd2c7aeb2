"""The watermarks of one invocation: read together for all its lanes, and advanced after each message."""

import logging
from collections.abc import Collection, Iterable

from msgspec.structs import replace

from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.watermark import Watermark, reached
from lambda_forwarder.ports import TimeLeft, Watermarks
from tailrace.message import ChangeMessage

RENUMBERED = (
    "the sequence numbers of lane %s restarted below its watermark, %s: the stream's checkpoint was lost or replaced. Its "
    "changes are published, but repeats are not dropped until the numbers reach the watermark. To fix it, start a new "
    "generation with tailer checkpoint rewind"
)

log = logging.getLogger(__name__)


class Progress:
    """
    The watermarks of the lanes of these deliveries. Without ``watermarks``, no change counts as published before.

    A failed read is retried for the next message, so it returns only one message and its group to the queue.
    """

    def __init__(self, watermarks: Watermarks | None, deliveries: Iterable[Delivery]) -> None:
        self._watermarks = watermarks
        self._lanes: Collection[str] = {delivery.group for delivery in deliveries if delivery.group != delivery.id}
        self._read: dict[str, Watermark] | None = None
        self.moved: set[str] = set()  # the lanes whose watermarks were advanced

    def lane(self, delivery: Delivery, message: ChangeMessage) -> str | None:
        """The lane whose watermark applies to the message, or None."""
        return delivery.lane_of(message) if self._watermarks else None

    def unpublished(self, lane: str | None, message: ChangeMessage, time_left: TimeLeft) -> ChangeMessage:
        """Return the message without the changes that were published before."""
        if not (self._watermarks and lane):
            return message
        if self._read is None:
            self._read = dict(self._watermarks.read(self._lanes, time_left))
        if (mark := self._read.get(lane)) is None:
            return message
        if any(mark.is_renumbered(message.generation, change) for change in message.changes):
            log.warning(RENUMBERED, lane, mark.position, extra={"action": "lane_counts_anew"})
        fresh = tuple(change for change in message.changes if not mark.covers(message.generation, change))
        return replace(message, changes=fresh)

    def published(self, lane: str | None, message: ChangeMessage) -> None:
        """
        Return only once the lane's watermark is durably at the message's last change, or later. The time left is ignored: if
        the watermark is not saved, the whole message is published again.
        """
        if not (self._watermarks and self._read is not None and lane and message.changes):
            return
        mark, now = self._read.get(lane), reached(message.generation, message.changes)
        if mark is None or mark.position < now.position:
            self._watermarks.advance(lane, now)
            self._read[lane] = now
            self.moved.add(lane)
