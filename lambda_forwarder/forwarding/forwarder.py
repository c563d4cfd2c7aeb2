"""
The core of the forwarder: read a message, map its changes to events, publish them, advance the watermark. Only after that the
queue may delete the message.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import BusGone, ForwarderError
from lambda_forwarder.forwarding.publication import PARKING_CALLS, Publication
from lambda_forwarder.forwarding.reading import read_message
from lambda_forwarder.model.delivery import Delivery, by_group
from lambda_forwarder.model.parked import Parked, ended, unreadable
from lambda_forwarder.partial import unfinished
from lambda_forwarder.ports import Attempts, Queue, TimeLeft, Watermarks
from lambda_forwarder.redelivery.returned_messages import ReturnedMessages
from lambda_forwarder.redelivery.suspects import LIMIT, AttemptNotes, plan
from lambda_forwarder.watermarks.progress import Progress
from tailrace.wire.message import UnreadableMessage

STATE_CALLS = 2  # to read and to write the last state of one document

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Forwarder(Publication):
    """
    Forwards batches of queue messages, and keeps nothing between two batches.

    Without ``watermarks`` every repeat is published. Without ``attempts`` a message that ends the function is tried until it is
    a dead letter. Without ``queue`` a failed message returns after the queue's own visibility timeout. ``now`` is in seconds
    since 1970.
    """

    watermarks: Watermarks | None = None
    attempts: Attempts | None = None
    queue: Queue | None = None
    now: Callable[[], float] = time.time

    def forward(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> list[str]:
        """
        Return the ids of the messages that the queue must deliver again: those that failed, and those after them in their
        group.

        A message that fails holds back the rest of its group and no other group. Messages that were not begun before the time
        was up are returned untouched. So are messages that may have ended the function before, until it is their turn.

        Raises:
            BusGone: no message of the batch may be deleted.
        """
        groups = by_group(deliveries)
        done = Counter(records=0, changes=0, duplicates=0, events=0, deduplicated=0, parked=0)
        progress = Progress(self.watermarks, deliveries)
        returned = ReturnedMessages(self.queue, self.attempts, self.now)
        planned = plan(groups, self.attempts, returned, time_left)
        try:
            for name, notes in planned.items():
                finished, error = self._forward_group(groups[name], notes, progress, time_left, done)
                if left := groups[name][finished:]:
                    returned.failed(left, error, moved=finished > 0 or name in progress.moved)
                    self.metrics.count(name.rpartition(".")[0], "MessagesFailed", len(left))
        except BusGone as error:
            for name in planned:
                returned.failed(groups[name], error)
            raise
        finally:
            returned.finish(time_left)
        self.unmapped.keep(time_left)
        log.info("forwarded", extra={"action": "batch_forwarded", **done, "failed": len(returned.ids)})
        return [delivery.id for delivery in deliveries if delivery.id in returned.ids]

    def _forward_group(
        self, deliveries: Sequence[Delivery], notes: AttemptNotes, progress: Progress, time_left: TimeLeft, done: Counter[str]
    ) -> tuple[int, Exception | None]:
        """Return how many messages of the group are finished, and the error of the next: None if the time was up before it."""
        for index, delivery in enumerate(deliveries):
            if time_left() <= 0:
                return index, None
            try:
                done.update(self._forward_message(delivery, notes, progress, time_left))
            except Exception as error:
                extra = {"action": "message_failed", "message_id": delivery.id, "error": type(error).__name__}
                log.warning("a message failed: %s", error, extra=extra, exc_info=not isinstance(error, ForwarderError))
                if isinstance(error, BusGone):
                    raise
                return index, error
        return len(deliveries), None

    def _forward_message(
        self, delivery: Delivery, notes: AttemptNotes, progress: Progress, time_left: TimeLeft
    ) -> Counter[str]:
        """Return only after every change of the message is published, or parked with the reason."""
        try:
            if not notes.begin_reading(delivery.id, time_left):
                reason = UnreadableMessage(f"the function ended {LIMIT} times while it read this message")
                self._set_aside_ended(unreadable(delivery, reason, LIMIT), time_left)
                return Counter(records=1, parked=1)
            message = read_message(delivery.body, self.room)
        except UnreadableMessage as error:
            self.set_aside([unreadable(delivery, error)], time_left)
            return Counter(records=1, parked=1)
        lane = progress.lane(delivery, message)
        new = progress.unpublished(lane, message, time_left)
        done = Counter(records=1, changes=len(message.changes), duplicates=len(message.changes) - len(new.changes))
        self.metrics.count(message.stream, "DuplicatesDropped", done["duplicates"])
        for place, part in notes.parts(delivery.id, message, new):
            try:
                if notes.begin(delivery.id, place, time_left):
                    done.update(self.publish(part, time_left).counts)
                else:
                    if self.remembering:
                        self.remembering.around(part, (), one_call_more(time_left, STATE_CALLS))
                    self._set_aside_ended(ended(part.changes[0], part, LIMIT), one_call_more(time_left, PARKING_CALLS))
                    done.update(parked=1)
            except BusGone:
                raise
            except Exception as error:
                later = new.changes[new.changes.index(part.changes[-1]) + 1 :]
                first = min([unfinished(error, part), *(change.sequence for change in later)])
                finished = tuple(change for change in new.changes if change.sequence < first)
                progress.published(lane, replace(new, changes=finished))
                raise
        progress.published(lane, new)
        return done

    def _set_aside_ended(self, item: Parked, time_left: TimeLeft) -> None:
        """Set aside what ended the function. An error says so in ``ended``."""
        try:
            self.set_aside([item], time_left)
        except ForwarderError as error:
            error.ended = True
            raise
