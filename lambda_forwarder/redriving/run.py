"""One redrive: what it has taken, and what it knows of the documents it met."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import msgspec

from lambda_forwarder.claims.claimed import runs
from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import Blocked, BusGone
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.publishing.late import LatePublisher
from lambda_forwarder.redriving.backlog import Shelf, Taken
from lambda_forwarder.redriving.held_messages import HeldMessages, by_shelf, give_back
from lambda_forwarder.redriving.lateness import Lateness, digest
from lambda_forwarder.redriving.other_mappers import WAY_OUT
from lambda_forwarder.redriving.parkings import NotedParking
from lambda_forwarder.redriving.piece import Piece, together
from lambda_forwarder.redriving.reader import Reader, reason
from lambda_forwarder.redriving.report import Mentions
from tailrace.change import Change
from tailrace.message import ChangeMessage
from tailrace.wire.message import group_id

BEHIND = "it waits for an earlier change of its document or its lane"
NO_EVENT = "its mappers produced no event"
REASONS = 10  # of those, in the log
BLOCKED_LIMIT = 200_000  # documents and lanes of what stays, remembered: about 25 MB

log = logging.getLogger(__name__)


class Run:
    """
    Takes note of every document that has to wait, and of every message that it holds. What fails holds back what is behind it:
    poison its document, an outage its lane. With ``keep`` nothing is removed: for a dry run, whose ``forwarder`` publishes
    nothing. With ``discard`` what no mapper reads is removed, too, with ``discard_stubs`` what the tailer could not read.
    """

    def __init__(
        self, forwarder: Forwarder, time_left: TimeLeft, *, keep: bool, discard: bool = False, discard_stubs: bool = False
    ) -> None:
        self.done: Counter[str] = Counter()
        self.removed, self.left = Mentions(), Mentions()
        self.strangers: set[str] = set()  # some of why messages stay that the mappers here are not to judge
        self._forwarder = forwarder
        self._time_left = time_left
        self._keep = keep
        self._discard = discard
        self._round: dict[Taken, None] = {}  # what was taken and is not dealt with
        self._custody = HeldMessages()
        self._blocked: set[bytes] = set()  # documents and lanes of which something had to stay
        self._lateness = Lateness(forwarder.watermarks)
        self._reader = Reader(forwarder, time_left, discard=discard, discard_stubs=discard_stubs)

    @property
    def full(self) -> bool:
        """Whether so much has to stay that nothing more can be remembered of it."""
        return len(self._blocked) > BLOCKED_LIMIT

    def take(self, shelves: list[Shelf], room: int, seconds: float) -> Sequence[Taken]:
        """What each has to give. One that has nothing is asked no more: only what arrives during the run could be there."""
        for shelf in tuple(shelves):
            if left := room - len(self._round):
                found = [Taken(shelf=shelf, waiting=waiting) for waiting in shelf.backlog.take(left, seconds)]
                self._round |= dict.fromkeys(found)
                self.done["messages"] += len(found)
                if not found:
                    shelves.remove(shelf)
        return tuple(self._round)

    def work(self, taken: Sequence[Taken]) -> None:
        """Publish what these messages hold, in order per document whatever shelf they are from; remove what may go."""
        read = self._reader.read_what_fits(taken)
        self._leave(taken[len(read) :])
        pieces = sorted((piece for pieces in read.values() for piece in pieces), key=lambda piece: piece.place)
        self._lateness.look(pieces, one_call_more(self._time_left))
        for _, group in groupby(pieces, key=together):
            self._publish(list(group))
        self._settle(read)

    def give_back(self) -> None:
        """Everything that is still held."""
        give_back(self._round, self._time_left)
        self._custody.give_back(self._time_left)

    def _leave(self, unread: Sequence[Taken]) -> None:
        """What there was no room for goes back, as if it had not been taken."""
        give_back(unread, self._time_left)
        for one in unread:
            del self._round[one]
        self.done["messages"] -= len(unread)

    def _settle(self, read: Mapping[Taken, object]) -> None:
        """Remove what may go, take note of what stays, and forget both."""
        for one in read:
            if one.elsewhere and not (one.events or one.unpublished):
                one.stays(f"the mappers here produce no event, and {one.elsewhere}; {WAY_OUT}")
        if not self._keep:
            for shelf, accepted in by_shelf(one for one in read if not one.why):
                shelf.backlog.remove([one.waiting for one in accepted], one_call_more(self._time_left))
                for one in accepted:
                    del self._round[one]
        self.done["parked"] += self._reader.parked
        self._reader.parked = 0
        for one in read:
            if one.why:
                self.left.add(one, one.why)
                if one.stranger and len(self.strangers) < REASONS:
                    self.strangers.add(one.stranger)
            elif why := one.unpublished or ("" if one.events else ": ".join(filter(None, (NO_EVENT, one.stranger)))):
                self.removed.add(one, why)
            if one in self._round:
                self._custody.keep(one)
        self._round.clear()

    def _publish(self, pieces: Sequence[Piece]) -> None:
        """Neighbours from one message. Where it is behind what had to stay, it stays too."""
        one, message = pieces[0].taken, pieces[0].message
        free: list[Change] = []
        for piece in pieces:
            if self._blocked & {digest(piece.change.document), digest(piece.lane)}:
                self._hold(one, piece.change, BEHIND)
            elif one.stranger and not self._discard:
                self._hold(one, piece.change, f"{one.stranger}; {WAY_OUT}")
            else:
                free.append(piece.change)
        late = {piece.change.id for piece in pieces if self._lateness.of(piece)}
        publisher = LatePublisher(self._forwarder.publisher, late)
        parking = NotedParking(self._forwarder.parking, one)
        block = self._forwarder.block or one.shelf.parked
        through = replace(self._forwarder, publisher=publisher, parking=parking, block=block)
        for run in runs(msgspec.structs.replace(message, changes=tuple(free))):
            self._publish_run(one, run, through)
        self.done["late"] += publisher.marked

    def _publish_run(self, one: Taken, run: ChangeMessage, through: Forwarder) -> None:
        try:
            done = through.publish(run, self._time_left)
        except BusGone:  # what was published just before may have been dropped: nothing more is removed
            raise
        except Exception as error:  # whatever it is, it must not hold back the others
            for change in run.changes:
                self._hold(one, change, reason(error))
            if not isinstance(error, Blocked):
                self._blocked.add(digest(group_id(run.stream, run.lane)))
        else:
            self.done.update(done)
            one.events += done["events"]
            self._lateness.published(run)

    def _hold(self, one: Taken, change: Change, why: str) -> None:
        self._blocked.add(digest(change.document))
        one.stays(why, change.document, change.sequence)
