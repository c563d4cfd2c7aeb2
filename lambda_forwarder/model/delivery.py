"""A message as it was delivered to the forwarder: by a queue or by a DynamoDB stream."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tailrace.message import ChangeMessage
from tailrace.wire.message import deduplication_id, group_id


class Delivery(Struct, frozen=True, kw_only=True):
    """
    One message of a queue, or one record of a DynamoDB stream.

    ``id`` is the message id of SQS or the SequenceNumber of DynamoDB. ``group`` is the message group; in a queue without groups
    it is ``id``. ``receipt`` and ``queue_arn`` are needed to hide or to delete a message. ``receives`` counts the deliveries,
    this one included. ``first_received`` is in seconds since 1970.

    The ``body`` of a queue message is not read yet: reading one may need all of the function's memory. A record of DynamoDB has
    its ``message`` already, or a ``problem`` (why it cannot be read) and its JSON as ``body``.
    """

    id: str
    group: str
    body: str = ""
    receipt: str = ""
    queue_arn: str = ""
    deduplication_id: str = ""
    is_dead_letter: bool = False
    receives: int = 1
    first_received: float | None = None
    message: ChangeMessage | None = None
    problem: str = ""

    def age(self, now: float) -> float:
        """Seconds since the first delivery. ``now`` is in seconds since 1970."""
        return 0.0 if self.first_received is None else max(0.0, now - self.first_received)

    def lane_of(self, message: ChangeMessage) -> str | None:
        """
        Return the lane of the message that was read from this delivery, or None if somebody sent the message again.

        The tailer's own messages have the group and the deduplication id that follow from their content. SQS gives a message
        another id when it moves it out of a dead-letter queue, and so does a person who sends a parked change again. Such
        messages are late on purpose, so no watermark may drop them.
        """
        lane = group_id(message.stream, message.lane)
        ids = [change.id for change in message.changes]
        own = deduplication_id(stream=message.stream, generation=message.generation, lane=message.lane, ids=ids)
        return lane if (self.group, self.deduplication_id, self.is_dead_letter) == (lane, own, False) else None


def by_group(deliveries: Sequence[Delivery]) -> Mapping[str, Sequence[Delivery]]:
    """Return the deliveries of each message group, in order."""
    groups: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        groups.setdefault(delivery.group, []).append(delivery)
    return groups
