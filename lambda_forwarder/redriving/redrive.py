"""The state of one redrive: the messages that it holds, and the documents that have to wait."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import msgspec

from lambda_forwarder.claims.claimed import runs
from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import Blocked, BusGone
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.model.parked import by_sequence
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.redriving.late_changes import LateChanges
from lambda_forwarder.redriving.outcome import Outcome, RedrivenChange, by_queue, release
from lambda_forwarder.redriving.queues import RedriveQueue
from lambda_forwarder.redriving.reader import WAY_OUT, Options, Reader, reason
from lambda_forwarder.redriving.report import SHOWN, Mention
from tailrace.change import Change
from tailrace.message import ChangeMessage
from tailrace.wire.identity import digest
from tailrace.wire.message import group_id

WAITS = "it waits for an earlier change of its document or its lane"
NO_EVENT = "its mappers produced no event"
REASONS = 10  # different reasons of other mappers, in the log
RECEIPTS = 20_000  # of messages that stay, kept in memory: about 12 MB
WAITING_LIMIT = 200_000  # documents and lanes that wait, remembered: about 25 MB


class Redrive:
    """
    A change that fails holds back the later changes of its document; an outage holds back its lane. Messages that stay are held
    until the end, so that each is tried once. Beyond ``RECEIPTS`` a message returns when its visibility timeout ends.
    """

    def __init__(self, forwarder: Forwarder, time_left: TimeLeft, options: Options) -> None:
        self.counts: Counter[str] = Counter()
        self.removals: list[Mention] = []
        self.leftovers: list[Mention] = []
        self.other_mappers: set[str] = set()  # the first reasons why the mappers here must not decide
        self._forwarder = forwarder
        self._time_left = time_left
        self._options = options
        self._received: dict[Outcome, None] = {}  # and not finished
        self._held: list[Outcome] = []
        self._waiting: set[bytes] = set()  # documents and lanes of which a change has to stay
        self._late = LateChanges(forwarder.watermarks)
        self._reader = Reader(forwarder, time_left, options, self.counts)

    @property
    def is_full(self) -> bool:
        """Whether so many changes have to stay that no more can be remembered."""
        return len(self._waiting) > WAITING_LIMIT

    def receive(self, queues: list[RedriveQueue], seconds: float) -> Sequence[Outcome]:
        """Receive messages from each queue, and hide them for so long. Remove a queue from ``queues`` once it is empty."""
        for queue in tuple(queues):
            if room := self._options.limit - self.counts["messages"]:
                found = [Outcome(queue=queue, delivery=delivery) for delivery in queue.backlog.take(room, seconds)]
                self._received |= dict.fromkeys(found)
                self.counts["messages"] += len(found)
                if not found:
                    queues.remove(queue)
        return tuple(self._received)

    def work(self, outcomes: Sequence[Outcome]) -> None:
        """Publish these messages, in order per document across all queues, and remove the finished ones."""
        read = self._reader.read_what_fits(outcomes)
        unread = outcomes[len(read) :]  # released as if they had not been received
        release(unread, self._time_left)
        for outcome in unread:
            del self._received[outcome]
        self.counts["messages"] -= len(unread)
        changes = sorted(
            (change for some in read.values() for change in some), key=lambda each: (each.message.stream, *each.position)
        )
        self._late.read_watermarks(changes, one_call_more(self._time_left))
        for _, neighbours in groupby(changes, key=lambda each: (id(each.outcome), each.message.generation)):
            self._publish(list(neighbours))
        self._finish(read)

    def release(self) -> None:
        release(self._received, self._time_left)
        release(self._held, self._time_left)

    def _publish(self, changes: Sequence[RedrivenChange]) -> None:
        """Publish neighbours from one message, except those that have to wait."""
        outcome, message = changes[0].outcome, changes[0].message
        free: list[Change] = []
        for each in changes:
            if self._waiting & {digest(each.change.document), digest(each.lane)}:
                self._keep(outcome, each.change, WAITS)
            elif outcome.no_mapper and not self._options.discard_unmapped:
                self._keep(outcome, each.change, f"{outcome.no_mapper}; {WAY_OUT}")
            else:
                free.append(each.change)
        late = {each.change.id for each in changes if self._late.is_late(each)}
        forwarder = replace(self._forwarder, late=late, block=self._forwarder.block or outcome.queue.is_parking)
        for part in runs(msgspec.structs.replace(message, changes=tuple(free))):
            self._publish_part(outcome, part, forwarder)

    def _publish_part(self, outcome: Outcome, part: ChangeMessage, forwarder: Forwarder) -> None:
        try:
            result = forwarder.publish(part, self._time_left)
        except BusGone:  # the bus may have dropped what was published just before: no more is removed
            raise
        except Exception as error:  # no error may hold back the other messages
            for change in part.changes:
                self._keep(outcome, change, reason(error))
            if not isinstance(error, Blocked):
                self._waiting.add(digest(group_id(part.stream, part.lane)))
            return
        self.counts.update(
            published=result.events, late=result.late, deduplicated=result.deduplicated, parked=len(result.parked)
        )
        outcome.events += result.events
        for item in sorted(result.parked, key=by_sequence)[:1]:
            outcome.remove_unpublished(f"parked: {item.reason}", item.document, item.sequence)
        self._late.published(part)

    def _keep(self, outcome: Outcome, change: Change, why: str) -> None:
        self._waiting.add(digest(change.document))
        outcome.keep(why, change.document, change.sequence)

    def _finish(self, read: Mapping[Outcome, object]) -> None:
        """Remove the messages that may go, and note the reasons of those that stay."""
        for outcome in read:
            if outcome.other_table and not (outcome.events or outcome.unpublished):
                outcome.keep(f"the mappers here produce no event, and {outcome.other_table}; {WAY_OUT}")
        if not self._options.dry_run:
            for queue, finished in by_queue(outcome for outcome in read if not outcome.stays):
                queue.backlog.remove([outcome.delivery for outcome in finished], one_call_more(self._time_left))
                for outcome in finished:
                    del self._received[outcome]
        for outcome in read:
            if outcome.stays:
                self._count("left", self.leftovers, outcome, outcome.stays)
                if outcome.no_mapper and len(self.other_mappers) < REASONS:
                    self.other_mappers.add(outcome.no_mapper)
            elif outcome.unpublished or not outcome.events:
                no_event = ": ".join(filter(None, (NO_EVENT, outcome.no_mapper)))
                self._count("unpublished", self.removals, outcome, outcome.unpublished or no_event)
            if outcome in self._received and len(self._held) < RECEIPTS:
                receipt = msgspec.structs.replace(outcome.delivery, body="", group="")
                self._held.append(Outcome(queue=outcome.queue, delivery=receipt))
        self._received.clear()

    def _count(self, name: str, mentions: list[Mention], outcome: Outcome, why: str) -> None:
        self.counts[name] += 1
        if len(mentions) < SHOWN:
            mentions.append(outcome.mention(why))
