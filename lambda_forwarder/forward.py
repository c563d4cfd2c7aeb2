"""
The heart of the forwarder: read a message, name what happened, publish it, remember how far. Only then may the queue forget it.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from contract.message import ChangeMessage, UnreadableMessage
from lambda_forwarder.claims.claimed import fetched, runs
from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import BusGone, ForwarderError
from lambda_forwarder.event import Entry, Mappers
from lambda_forwarder.figures import Figures
from lambda_forwarder.naming import named
from lambda_forwarder.parking.parked import Parked, refused, unreadable
from lambda_forwarder.parking.poison import ahead, before, blocked_by
from lambda_forwarder.partial import done_before, note_unfinished, unfinished
from lambda_forwarder.ports import Claims, Parking, Publisher, TimeLeft, Watermarks
from lambda_forwarder.reading import read_message
from lambda_forwarder.watermarks.progress import Progress

Record = dict[str, Any]
"""One record of the Lambda's SQS event."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Forwarder:
    """
    Forwards batches of queue messages and keeps nothing between them. ``source`` replaces the one of every event. ``table`` is
    what the mappers are called: FORWARDER_MAPPERS.

    Without ``watermarks`` every repeat is published; without ``claims`` a change that was too large for the queue waits there.
    A change that can never be published is parked; with ``block`` it fails its message instead, with nothing behind it
    published, and its group waits. ``figures`` hear what becomes of everything.
    """

    mappers: Mappers
    publisher: Publisher
    parking: Parking
    table: str = ""
    watermarks: Watermarks | None = None
    claims: Claims | None = None
    source: str | None = None
    block: bool = False
    figures: Figures = field(default_factory=Figures)

    def forward(self, records: Sequence[Record], time_left: TimeLeft) -> list[str]:
        """
        Return the ids of the messages that the queue must deliver again: those that failed, and those behind them.

        A message that fails holds back the rest of its group and nobody else. Once the time is up, what was not begun
        is returned untouched.

        Raises:
            BusGone: no message of the batch is to be forgotten.
        """
        failed: list[str] = []
        blocked: set[str] = set()
        done = Counter(records=0, changes=0, duplicates=0, events=0, deduplicated=0, parked=0)
        progress = Progress(self.watermarks, records)
        for record in records:
            group = record["attributes"].get("MessageGroupId", record["messageId"])
            if group not in blocked and time_left() > 0:
                try:
                    done.update(self._forward(record, progress, time_left))
                    continue
                except Exception as error:
                    _log_failure(record, error)
                    if isinstance(error, BusGone):
                        raise
            blocked.add(group)
            failed.append(record["messageId"])
            self.figures.failed(group.rpartition(".")[0])
        log.info("forwarded", extra={"action": "batch_forwarded", **done, "failed": len(failed)})
        return failed

    def _forward(self, record: Record, progress: Progress, time_left: TimeLeft) -> Counter[str]:
        """Return only when every event of the message was accepted, or its change parked with the reason."""
        try:
            message = read_message(record["body"])
        except UnreadableMessage as error:
            self.set_aside([unreadable(record, error)], time_left)
            return Counter(records=1, parked=1)
        lane = progress.lane(record, message)
        new = progress.unpublished(lane, message, time_left)
        done = Counter(records=1, changes=len(message.changes), duplicates=len(message.changes) - len(new.changes))
        self.figures.dropped(message.stream, done["duplicates"])
        begun = 0
        for run in runs(new):
            begun += len(run.changes)
            try:
                done.update(self.publish(run, time_left))
            except BusGone:
                raise
            except Exception as error:
                first = min([unfinished(error, run), *(change.sequence for change in new.changes[begun:])])
                progress.published(lane, before(new, first))
                raise
        progress.published(lane, new)
        return done

    def publish(self, run: ChangeMessage, time_left: TimeLeft) -> Counter[str]:
        """
        Publish what the run means, and park what of it cannot be; return how many of each.

        Whatever is raised, but for ``BusGone``: every change before ``partial.unfinished`` is published or parked.

        Raises:
            Blocked: a change cannot be published and is not to be parked. Nothing of its document behind is published.
        """
        run, unclaimed = fetched(run, self.claims, time_left)
        entries, unmapped = named(run, self.mappers, self.source)
        poison = [*unclaimed, *unmapped]
        if self.block and poison:
            entries = ahead(entries, poison)
        try:
            published = self.publisher.publish(entries, time_left)
        except BusGone:
            raise
        except Exception as error:
            self._settle(run, entries, poison, error, time_left)
            raise
        not_taken = {no.entry.id for no in published.refused}
        taken = [entry for entry in entries if entry.id not in not_taken]
        self.figures.published(run.stream, taken)
        poison += (refused(no.entry, run, no.reason) for no in published.refused)
        if poison:
            self.set_aside(poison, one_call_more(time_left))
        return Counter(events=len(taken), deduplicated=published.deduplicated, parked=len(poison))

    def set_aside(self, poison: Sequence[Parked], time_left: TimeLeft) -> None:
        """
        Park what can never be published.

        Raises:
            Blocked: it is not to be parked.
        """
        if self.block:
            raise blocked_by(poison)
        self.keep(poison, time_left)

    def keep(self, poison: Sequence[Parked], time_left: TimeLeft) -> None:
        """Park these, whatever ``block`` says. Whatever is raised, ``partial.unfinished`` is the first that is not kept."""
        poison = [replace(item, mappers=self.table) if item.change_id else item for item in poison]
        try:
            self.parking.park(sorted(poison, key=_sequence), time_left)  # where not all are kept, the first ones are
        except Exception as error:
            kept = done_before(error).accepted
            left = [item for item in poison if item.id not in kept]
            self.figures.parked([item for item in poison if item.id in kept])
            note_unfinished(error, min(item.sequence for item in (left or poison)))
            raise
        self.figures.parked(poison)

    def _settle(
        self, run: ChangeMessage, entries: Sequence[Entry], poison: list[Parked], error: Exception, time_left: TimeLeft
    ) -> None:
        """
        Finish, after a publish that failed, the changes before the first one with an event that was not accepted: park what of
        them is poison. Note on the error where that first one is.
        """
        so_far = done_before(error)
        refusals = {no.entry.id for no in so_far.refused}
        left = [entry.change.sequence for entry in entries if entry.id not in so_far.accepted | refusals]
        first = min(left, default=unfinished(error, run))
        note_unfinished(error, first)
        taken = [entry for entry in entries if entry.id in so_far.accepted and entry.change.sequence < first]
        self.figures.published(run.stream, taken)
        poison += (refused(no.entry, run, no.reason) for no in so_far.refused)
        sooner = [item for item in poison if item.sequence < first]
        if sooner:
            try:
                self.set_aside(sooner, one_call_more(time_left))
            except Exception as another:
                log.warning("not parked: %s", another, extra={"action": "not_parked", "changes": len(sooner)})
                note_unfinished(error, unfinished(another, run))


def _sequence(item: Parked) -> int:
    return item.sequence


def _log_failure(record: Record, error: Exception) -> None:
    foreseen = isinstance(error, ForwarderError)
    extra = {"action": "message_failed", "message_id": record["messageId"], "error": type(error).__name__}
    log.warning("a message failed: %s", error, extra=extra, exc_info=not foreseen)
