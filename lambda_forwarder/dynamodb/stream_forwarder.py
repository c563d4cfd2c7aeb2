"""
The loop over a batch of a DynamoDB stream.

A shard is read in order, so the first record that fails returns with all records after it. Watermarks do not apply: Lambda
keeps the position in the stream, and a repeat carries the same ids.

A stream keeps its records for a day. FORWARDER_ON_OUTAGE says what happens while the bus is unavailable: ``wait`` (the default)
leaves the records in the stream, in order; ``park`` sends their changes to the parking queue, which keeps them for 14 days.
Redrive publishes them from there, perhaps after newer changes of their item, and then with ``late: true``.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.errors import BusGone, Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.parked import postponed, unreadable
from lambda_forwarder.partial import unfinished
from lambda_forwarder.ports import TimeLeft
from tailrace.message import ChangeMessage
from tailrace.wire.message import UnreadableMessage

TOGETHER = 100  # records that are published together, at most
PARKING_SHARE = 1 / 3  # of an invocation's time, to park what the bus did not accept in the rest of the time

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class StreamForwarder:
    """Forwards the records of a DynamoDB stream. With ``park_on_outage`` changes that the bus does not accept are parked."""

    forwarder: Forwarder
    park_on_outage: bool = False

    def forward(self, deliveries: Iterable[Delivery], count: int, time_left: TimeLeft) -> str | None:
        """
        Return the id of the first record that is not finished, or None if all ``count`` records are.

        Raises:
            ForwarderError: no record is finished, or the first unfinished one has no id: Lambda delivers all of them again.
            BusGone: no record of the batch counts as finished.
        """
        done = Counter(records=0, events=0, deduplicated=0, parked=0)
        failed = None
        parking = time_left() * PARKING_SHARE if self.park_on_outage else 0.0
        for _, group in groupby(enumerate(deliveries), key=_group):
            neighbours = [delivery for _, delivery in group]
            try:
                done.update(self._publish(neighbours, time_left, lambda: time_left() - parking))
            except Exception as error:
                index = _first_unfinished(error, neighbours)
                finished = 0 if isinstance(error, BusGone) else done["records"] + index
                message, failed = neighbours[0].message, neighbours[index].id
                self.forwarder.metrics.count(message.stream if message else "", "MessagesFailed", count - finished)
                if not finished or not failed:
                    raise
                extra = {"action": "record_failed", "event_id": neighbours[index].group, "error": type(error).__name__}
                log.warning("a record failed: %s", error, extra=extra)
                break
        log.info("forwarded", extra={"action": "batch_forwarded", **done, "failed": count - done["records"]})
        return failed

    def _publish(self, neighbours: Sequence[Delivery], time_left: TimeLeft, publishing: TimeLeft) -> Counter[str]:
        """Return only after every change of these records is published, or parked with the reason."""
        deadline.check(time_left, "the record was begun")
        done, message = Counter(records=len(neighbours)), _joined(neighbours)
        if message is None:
            items = [unreadable(delivery, UnreadableMessage(delivery.problem)) for delivery in neighbours]
            self.forwarder.set_aside(items, time_left)
            return done + Counter(parked=len(items))
        try:
            return done + self.forwarder.publish(message, publishing).counts
        except Unavailable as error:
            if not self.park_on_outage:
                raise
            log.warning(
                "the bus is unavailable; its changes are parked, as FORWARDER_ON_OUTAGE says: %s",
                error,
                extra={"action": "outage_parked", "changes": len(neighbours)},
            )
            first = unfinished(error, message)
            items = [postponed(change, message, error) for change in message.changes if change.sequence >= first]
            self.forwarder.park(items, time_left)
            return done + Counter(parked=len(items))


def _group(numbered: tuple[int, Delivery]) -> tuple[object, ...]:
    """The key of the records that are published together: one stream and generation. An unreadable record is alone."""
    number, message = numbered[0], numbered[1].message
    return (number // TOGETHER, message.stream, message.generation) if message else (number,)


def _joined(neighbours: Sequence[Delivery]) -> ChangeMessage | None:
    """Return the changes of all these records, or None for an unreadable record."""
    messages = [delivery.message for delivery in neighbours if delivery.message]
    changes = tuple(change for message in messages for change in message.changes)
    return replace(messages[0], changes=changes) if messages else None


def _first_unfinished(error: Exception, neighbours: Sequence[Delivery]) -> int:
    """Return the index of the first record that is not finished."""
    message = _joined(neighbours)
    sequences = [change.sequence for change in message.changes] if message else []
    first = unfinished(error, message) if message else 0
    return sequences.index(first) if first in sequences else 0
