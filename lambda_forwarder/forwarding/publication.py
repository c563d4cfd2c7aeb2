"""
Publishes the events of a message's changes, or parks the changes: all of them, or all before the first that is unfinished.
"""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from lambda_forwarder.claims.claimed import fetched
from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import BusGone
from lambda_forwarder.mapping.events import map_changes
from lambda_forwarder.mapping.unmapped import Unmapped
from lambda_forwarder.metrics.metrics import Metrics
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked, by_sequence, refused
from lambda_forwarder.parking.poison import blocked_by
from lambda_forwarder.partial import done_before, note_unfinished, unfinished
from lambda_forwarder.ports import Claims, Parking, Publisher, TimeLeft
from lambda_forwarder.publishing.strict_order import in_strict_order
from lambda_forwarder.states.remembering import Remembering
from tailrace.events import Mappers
from tailrace.message import ChangeMessage
from tailrace.wire.message import MEMORY

PARKING_CALLS = 2  # to park one change: first S3 if it is too large for the queue, then SQS

log = logging.getLogger(__name__)


class Result(NamedTuple):
    """How many events were accepted, how many of them are late or were on the bus already, and the changes that were parked."""

    events: int
    late: int
    deduplicated: int
    parked: Sequence[Parked]

    @property
    def counts(self) -> Counter[str]:
        """The numbers, for the log."""
        return Counter(events=self.events, deduplicated=self.deduplicated, parked=len(self.parked))


@dataclass(frozen=True, kw_only=True)
class Publication:
    """
    Turns changes into events on the bus. ``table`` is the name of ``mappers`` (FORWARDER_MAPPERS). ``source`` replaces the
    source of every event. The events of the changes with the ids ``late`` are marked as late.

    Without ``claims`` a change that was too large for the queue waits there. A change that can never be published is parked.
    With ``block`` it fails its message instead, no later change is published, and the message group waits. A change that needs
    more than ``room`` bytes of memory counts as unreadable.
    """

    mappers: Mappers
    publisher: Publisher
    parking: Parking
    table: str = ""
    claims: Claims | None = None
    remembering: Remembering | None = None
    source: str | None = None
    block: bool = False
    late: Collection[str] = ()
    room: int = MEMORY
    metrics: Metrics = field(default_factory=Metrics)
    unmapped: Unmapped = field(default_factory=Unmapped)

    def publish(self, message: ChangeMessage, time_left: TimeLeft) -> Result:
        """
        Publish the events of these changes, and park the changes that cannot be published.

        Whatever is raised, except ``BusGone``: every change before ``partial.unfinished`` is published or parked.
        """
        sent = message
        message, unclaimed = fetched(sent, self.claims, time_left, self.room)
        if self.remembering:
            message = replace(message, changes=tuple(self.remembering.around(sent, message.changes, time_left)))
        entries, unmapped = map_changes(message, self.mappers, self.source, self.late)
        poison = [*unclaimed, *unmapped]
        if self.block and poison:
            first = min(map(by_sequence, poison))
            entries = [entry for entry in entries if entry.change.sequence < first]
        try:
            if self.block:
                published = in_strict_order(self.publisher, entries, time_left)
            else:
                published = self.publisher.publish(entries, time_left)
        except BusGone:
            raise
        except Exception as error:
            self._finish_partly(message, entries, poison, error, time_left)
            raise
        refused_ids = {refusal.entry.id for refusal in published.refused}
        accepted = [entry for entry in entries if entry.id not in refused_ids]
        self.metrics.published(message.stream, accepted)
        self.unmapped.note(message, self.mappers, self.metrics)
        poison += (refused(refusal.entry, message, refusal.reason) for refusal in published.refused)
        if poison:
            self.set_aside(poison, one_call_more(time_left, PARKING_CALLS))
        late = sum(entry.change.id in self.late for entry in accepted)
        return Result(len(accepted), late, published.deduplicated, poison)

    def set_aside(self, poison: Sequence[Parked], time_left: TimeLeft) -> None:
        """Park what can never be published. Raise ``Blocked`` instead if FORWARDER_ON_POISON is block."""
        if self.block:
            raise blocked_by(poison)
        self.park(poison, time_left)

    def park(self, items: Sequence[Parked], time_left: TimeLeft) -> None:
        """Park these, also with ``block``. Whatever is raised, ``partial.unfinished`` is the first that is not parked."""
        items = [replace(item, mappers=self.table) if item.change_id else item for item in items]
        try:
            self.parking.park(sorted(items, key=by_sequence), time_left)  # if some are not parked, the first ones are
        except Exception as error:
            accepted = done_before(error).accepted
            left = [item for item in items if item.id not in accepted]
            self.metrics.parked([item for item in items if item.id in accepted])
            note_unfinished(error, min(map(by_sequence, left or items)))
            raise
        self.metrics.parked(items)

    def _finish_partly(
        self, message: ChangeMessage, entries: Sequence[Entry], poison: list[Parked], error: Exception, time_left: TimeLeft
    ) -> None:
        """
        After a failed publish, find the first change with an event that was not accepted, park the poison before it, and note
        on the error where it is.
        """
        done = done_before(error)
        refused_ids = {refusal.entry.id for refusal in done.refused}
        left = [entry.change.sequence for entry in entries if entry.id not in done.accepted | refused_ids]
        first = min(left, default=unfinished(error, message))
        note_unfinished(error, first)
        accepted = [entry for entry in entries if entry.id in done.accepted and entry.change.sequence < first]
        self.metrics.published(message.stream, accepted)
        poison += (refused(refusal.entry, message, refusal.reason) for refusal in done.refused)
        if earlier := [item for item in poison if item.sequence < first]:
            try:
                self.set_aside(earlier, one_call_more(time_left, PARKING_CALLS))
            except Exception as parking_error:
                log.warning(
                    "changes were not parked; their message returns to the queue: %s",
                    parking_error,
                    extra={"action": "not_parked", "changes": len(earlier)},
                )
                note_unfinished(error, unfinished(parking_error, message))
