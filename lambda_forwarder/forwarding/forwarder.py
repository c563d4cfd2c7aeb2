"""
The heart of the forwarder: read a message, name what happened, publish it, remember how far. Only then may the queue forget it.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lambda_forwarder.claims.claimed import runs
from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import BusGone, ForwarderError
from lambda_forwarder.forwarding.publication import PARKING_CALLS, Publication
from lambda_forwarder.forwarding.reading import read_message
from lambda_forwarder.model.attempt import READING, Attempt
from lambda_forwarder.model.parked import Parked, ended, unreadable
from lambda_forwarder.model.received import Record, by_group
from lambda_forwarder.parking.poison import before
from lambda_forwarder.partial import unfinished
from lambda_forwarder.ports import Attempts, Queue, TimeLeft, Watermarks
from lambda_forwarder.redelivery.attempt_notes import LIMIT, AttemptNotes
from lambda_forwarder.redelivery.returned import Returned
from lambda_forwarder.redelivery.suspects import Plan, plan, received_again
from lambda_forwarder.watermarks.progress import Progress
from tailrace.wire.message import UnreadableMessage

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Forwarder(Publication):
    """
    Forwards batches of queue messages and keeps nothing between them.

    Without ``watermarks`` every repeat is published. Without ``attempts`` a message that ends the function is tried until the
    queue gives it up. Without ``queue`` what failed comes again when the queue's own visibility timeout is over. ``now`` is the
    time of day in seconds.
    """

    watermarks: Watermarks | None = None
    attempts: Attempts | None = None
    queue: Queue | None = None
    now: Callable[[], float] = time.time

    def forward(self, records: Sequence[Record], time_left: TimeLeft) -> list[str]:
        """
        Return the ids of the messages that the queue must deliver again: those that failed, and those behind them.

        A message that fails holds back the rest of its group and nobody else. Once the time is up, what was not begun
        is returned untouched. So are messages that may have ended the function before, until it is their turn.

        Raises:
            BusGone: no message of the batch is to be forgotten.
        """
        groups = by_group(records)
        done = Counter(records=0, changes=0, duplicates=0, events=0, deduplicated=0, parked=0)
        progress = Progress(self.watermarks, records)
        returned = Returned(self.queue, self.attempts, self.now)
        planned, notes = self._planned(groups, returned, time_left)
        try:
            for name in planned.now:
                notes_of = self.attempts if name == planned.suspect else None
                care = AttemptNotes(notes_of, name, notes.get(name)) if notes_of else None
                finished, error = self._group(groups[name], progress, time_left, care, done)
                if left := groups[name][finished:]:
                    returned.failed(left, error, moved=finished > 0 or name in progress.moved)
                    self.metrics.failed(name.rpartition(".")[0], len(left))
        except BusGone as gone:
            for name in planned.now:
                returned.failed(groups[name], gone)
            raise
        finally:
            returned.settle(time_left)
        self.unmapped.keep(time_left)
        log.info("forwarded", extra={"action": "batch_forwarded", **done, "failed": len(returned.ids)})
        return [record["messageId"] for record in records if record["messageId"] in returned.ids]

    def _planned(
        self, groups: Mapping[str, Sequence[Record]], returned: Returned, time_left: TimeLeft
    ) -> tuple[Plan, Mapping[str, Attempt]]:
        """What to work on now, with the notes of what was received before. All others are returned."""
        again = received_again(groups)
        if not self.attempts or not again:
            return Plan(now=list(groups)), {}
        try:
            notes = self.attempts.read(again, time_left)
        except ForwarderError as error:
            log.warning(
                "the notes of received messages cannot be read; their message groups return to the queue: %s",
                error,
                extra={"action": "notes_not_read"},
            )
            for name in again:
                returned.failed(groups[name], error)
            return Plan(now=[name for name in groups if name not in again]), {}
        planned = plan(groups, notes)
        returned.untouched([record for name in planned.later for record in groups[name]], time_left)
        if planned.suspect:
            returned.soon([record for name in planned.now for record in groups[name]], time_left)
        return planned, notes

    def _group(
        self, records: Sequence[Record], progress: Progress, time_left: TimeLeft, care: AttemptNotes | None, done: Counter[str]
    ) -> tuple[int, Exception | None]:
        """
        How many of a group's messages are finished, and why the next one is not: nothing where the time was up before it.

        Raises:
            BusGone: none of them is.
        """
        for index, record in enumerate(records):
            if time_left() <= 0:
                return index, None
            try:
                done.update(self._forward(record, progress, time_left, care))
            except Exception as error:
                _log_failure(record, error)
                if isinstance(error, BusGone):
                    raise
                return index, error
        return len(records), None

    def _forward(self, record: Record, progress: Progress, time_left: TimeLeft, care: AttemptNotes | None) -> Counter[str]:
        """Return only when every event of the message was accepted, or its change parked with the reason."""
        name = record["messageId"]
        if care and care.reached(name) == READING and not care.begin(name, READING, time_left):
            reason = UnreadableMessage(f"the function ended {LIMIT} times while it read this message")
            self._set_apart(unreadable(record, reason, LIMIT), time_left)
            return Counter(records=1, parked=1)
        try:
            message = read_message(record["body"], self.room)
        except UnreadableMessage as error:
            self.set_aside([unreadable(record, error)], time_left)
            return Counter(records=1, parked=1)
        lane = progress.lane(record, message)
        new = progress.unpublished(lane, message, time_left)
        done = Counter(records=1, changes=len(message.changes), duplicates=len(message.changes) - len(new.changes))
        self.metrics.dropped(message.stream, done["duplicates"])
        for place, run in care.runs(name, message, new) if care else enumerate(runs(new)):
            try:
                if care and not care.begin(name, place, time_left):
                    self._set_apart(ended(run.changes[0], run, LIMIT), one_call_more(time_left, PARKING_CALLS))
                    done.update(parked=1)
                else:
                    done.update(self.publish(run, time_left))
            except BusGone:
                raise
            except Exception as error:
                behind = new.changes[new.changes.index(run.changes[-1]) + 1 :]
                first = min([unfinished(error, run), *(change.sequence for change in behind)])
                progress.published(lane, before(new, first))
                raise
        progress.published(lane, new)
        return done

    def _set_apart(self, killer: Parked, time_left: TimeLeft) -> None:
        """Set aside what ends the function; where that fails, the error says what it was about."""
        try:
            self.set_aside([killer], time_left)
        except ForwarderError as error:
            error.ended = True
            raise


def _log_failure(record: Record, error: Exception) -> None:
    foreseen = isinstance(error, ForwarderError)
    extra = {"action": "message_failed", "message_id": record["messageId"], "error": type(error).__name__}
    log.warning("a message failed: %s", error, extra=extra, exc_info=not foreseen)
