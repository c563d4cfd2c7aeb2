"""A run of changes becomes events on the bus, or is parked: all of it, or everything before the first change that is left."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from lambda_forwarder.claims.claimed import fetched
from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import BusGone
from lambda_forwarder.mapping.events import map_changes
from lambda_forwarder.mapping.unmapped import Unmapped
from lambda_forwarder.metrics.metrics import Metrics
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked, refused
from lambda_forwarder.parking.poison import ahead, blocked_by
from lambda_forwarder.partial import done_before, note_unfinished, unfinished
from lambda_forwarder.ports import Claims, Parking, Publisher, TimeLeft
from tailrace.events import Mappers
from tailrace.message import ChangeMessage
from tailrace.wire.message import MEMORY

PARKING_CALLS = 2  # to park one change: what does not fit is stored first

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Publication:
    """
    What turns changes into events. ``source`` replaces the one of every event. ``table`` is what the mappers are called:
    FORWARDER_MAPPERS.

    Without ``claims`` a change that was too large for the queue waits there. A change that can never be published is parked;
    with ``block`` it fails its message instead, with nothing behind it published, and its group waits. What would take more
    memory than ``room``, in bytes, counts as unreadable. ``figures`` hear what becomes of everything.
    """

    mappers: Mappers
    publisher: Publisher
    parking: Parking
    table: str = ""
    claims: Claims | None = None
    source: str | None = None
    block: bool = False
    room: int = MEMORY
    metrics: Metrics = field(default_factory=Metrics)
    unmapped: Unmapped = field(default_factory=Unmapped)

    def publish(self, run: ChangeMessage, time_left: TimeLeft) -> Counter[str]:
        """
        Publish what the run means, and park what of it cannot be; return how many of each.

        Whatever is raised, but for ``BusGone``: every change before ``partial.unfinished`` is published or parked.

        Raises:
            Blocked: a change cannot be published and is not to be parked. Nothing of its document behind is published.
        """
        run, unclaimed = fetched(run, self.claims, time_left, self.room)
        entries, unmapped = map_changes(run, self.mappers, self.source)
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
        self.metrics.published(run.stream, taken)
        self.unmapped.note(run, self.mappers, self.metrics)
        poison += (refused(no.entry, run, no.reason) for no in published.refused)
        if poison:
            self.set_aside(poison, one_call_more(time_left, PARKING_CALLS))
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
            self.metrics.parked([item for item in poison if item.id in kept])
            note_unfinished(error, min(item.sequence for item in (left or poison)))
            raise
        self.metrics.parked(poison)

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
        self.metrics.published(run.stream, taken)
        poison += (refused(no.entry, run, no.reason) for no in so_far.refused)
        sooner = [item for item in poison if item.sequence < first]
        if sooner:
            try:
                self.set_aside(sooner, one_call_more(time_left, PARKING_CALLS))
            except Exception as another:
                log.warning(
                    "changes were not parked; their message returns to the queue: %s",
                    another,
                    extra={"action": "not_parked", "changes": len(sooner)},
                )
                note_unfinished(error, unfinished(another, run))


def _sequence(item: Parked) -> int:
    return item.sequence
