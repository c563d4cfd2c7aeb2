"""One redrive: what it has taken, and what it knows of the documents it met."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import msgspec

from contract.change import Change
from contract.message import ChangeMessage, UnreadableMessage, group_id
from lambda_forwarder.claims.claimed import runs
from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import Blocked, BusGone
from lambda_forwarder.forward import Forwarder
from lambda_forwarder.parking.parked import unreadable
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.publishing.late import LatePublisher
from lambda_forwarder.redriving.backlog import Kept, Shelf, Taken
from lambda_forwarder.redriving.custody import Custody, by_shelf, give_back
from lambda_forwarder.redriving.lateness import Lateness, digest
from lambda_forwarder.redriving.parkings import NotedParking
from lambda_forwarder.redriving.piece import Piece, together
from lambda_forwarder.redriving.report import Mentions
from lambda_forwarder.redriving.strangers import WAY_OUT, stranger
from lambda_forwarder.redriving.weight import weight

BEHIND = "it waits behind an earlier change of its document or its lane"
NO_EVENT = "its mappers told no event"
ROOM = 67_108_864  # bytes of memory for what is read at once; the message that exceeds it is still worked on
REASONS = 10  # of those, in the log
BLOCKED_LIMIT = 200_000  # documents and lanes of what stays, remembered: about 25 MB

log = logging.getLogger(__name__)


class Run:
    """
    Takes note of every document that has to wait, and of every message that it holds. What fails holds back what is behind it:
    poison its document, an outage its lane. With ``keep`` nothing is removed: for a dry run, whose ``forwarder`` publishes
    nothing. With ``discard`` what no mapper reads is removed, too.
    """

    def __init__(self, forwarder: Forwarder, time_left: TimeLeft, *, keep: bool, discard: bool) -> None:
        self.done: Counter[str] = Counter()
        self.removed, self.left = Mentions(), Mentions()
        self.strangers: set[str] = set()  # some of why messages stay that the mappers here are not to judge
        self._forwarder = forwarder
        self._time_left = time_left
        self._keep = keep
        self._discard = discard
        self._round: dict[Taken, None] = {}  # what was taken and is not dealt with
        self._custody = Custody()
        self._blocked: set[bytes] = set()  # documents and lanes of which something had to stay
        self._lateness = Lateness(forwarder.watermarks)

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
        read = self._read_what_fits(taken)
        pieces = sorted((piece for pieces in read.values() for piece in pieces), key=lambda piece: piece.place)
        self._lateness.look(pieces, one_call_more(self._time_left))
        for _, group in groupby(pieces, key=together):
            self._publish(list(group))
        self._settle(read)

    def give_back(self) -> None:
        """Everything that is still held."""
        give_back(self._round, self._time_left)
        self._custody.give_back(self._time_left)

    def _settle(self, read: Mapping[Taken, object]) -> None:
        """Remove what may go, take note of what stays, and forget both."""
        if not self._keep:
            for shelf, accepted in by_shelf(one for one in read if not one.why):
                shelf.backlog.remove([one.waiting for one in accepted], one_call_more(self._time_left))
                for one in accepted:
                    del self._round[one]
        for one in read:
            if one.why:
                self.left.add(one, one.why)
                if one.stranger and len(self.strangers) < REASONS:
                    self.strangers.add(one.stranger)
            elif reason := one.unpublished or ("" if one.events else ": ".join(filter(None, (NO_EVENT, one.stranger)))):
                self.removed.add(one, reason)
            if one in self._round:
                self._custody.keep(one)
        self._round.clear()

    def _read_what_fits(self, taken: Sequence[Taken]) -> Mapping[Taken, Sequence[Piece]]:
        """What they hold, until memory is full of it. The others go back unread, as if they had not been taken."""
        read: dict[Taken, Sequence[Piece]] = {}
        full = 0
        for one in taken:
            if full >= ROOM:
                break
            read[one] = self._read(one)
            full += one.weight
        unread = taken[len(read) :]
        give_back(unread, self._time_left)
        for one in unread:
            del self._round[one]
        self.done["messages"] -= len(unread)
        return read

    def _read(self, one: Taken) -> Sequence[Piece]:
        """What it holds; nothing where it holds nothing that can be read. The body is let go: a run takes more than fits."""
        try:
            kept = one.shelf.read(one.waiting.body)
            one.weight = weight(kept.message)
            self._compare(one, kept)
        except UnreadableMessage as error:
            self._unreadable(one, error)
            return ()
        except Exception as error:  # whatever it is, it must not hold back the others
            extra = {"action": "not_redriven", "message_id": one.waiting.id, "error": type(error).__name__}
            log.warning("a message cannot be read: %s", error, extra=extra, exc_info=True)
            one.stays(_reason(error))
            return ()
        finally:
            one.waiting = msgspec.structs.replace(one.waiting, body="")
        return [Piece(one, msgspec.structs.replace(kept.message, changes=(change,))) for change in kept.message.changes]

    def _compare(self, one: Taken, kept: Kept) -> None:
        """Take note of a message that the mappers here are not to judge."""
        one.stranger, about = stranger(kept, self._forwarder)
        if self._discard and about:
            one.goes_without(f"discarded as asked: {one.stranger}", about.document, about.sequence)

    def _unreadable(self, one: Taken, error: UnreadableMessage) -> None:
        if one.shelf.parked:
            one.stays(str(error))
            return
        waiting = one.waiting
        record = {"body": waiting.body, "messageId": waiting.id, "attributes": {"MessageGroupId": waiting.group}}
        try:
            self._forwarder.set_aside([unreadable(record, error)], self._time_left)
            self.done["parked"] += 1
            one.goes_without(f"parked: {error}")
        except Exception as failure:
            one.stays(_reason(failure))

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
                self._hold(one, change, _reason(error))
            if not isinstance(error, Blocked):
                self._blocked.add(digest(group_id(run.stream, run.lane)))
        else:
            self.done.update(done)
            one.events += done["events"]
            self._lateness.published(run)

    def _hold(self, one: Taken, change: Change, why: str) -> None:
        self._blocked.add(digest(change.document))
        one.stays(why, change.document, change.sequence)


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, Blocked) else f"{type(error).__name__}: {error}"
