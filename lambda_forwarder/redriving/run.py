"""One redrive: what it has taken, and what it knows of the documents it met."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import msgspec

from contract.change import Change
from contract.message import ChangeMessage, UnreadableMessage, group_id
from lambda_forwarder.claims.claimed import runs
from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import Blocked, BusGone, ForwarderError
from lambda_forwarder.forward import Forwarder
from lambda_forwarder.parking.parked import unreadable
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.publishing.late import LatePublisher
from lambda_forwarder.redriving.backlog import Shelf, Taken
from lambda_forwarder.redriving.lateness import Lateness
from lambda_forwarder.redriving.piece import Piece, together
from lambda_forwarder.redriving.weight import weight

BEHIND = "it waits behind an earlier change of its document or its lane"
ROOM = 67_108_864  # bytes of memory for what is read at once; the message that exceeds it is still worked on

log = logging.getLogger(__name__)


class Run:
    """
    Takes note of every document, and of every message that it holds. What fails holds back what is behind it: poison its
    document, an outage its lane. With ``keep`` nothing is removed: for a dry run, whose ``forwarder`` publishes nothing.
    """

    def __init__(self, forwarder: Forwarder, time_left: TimeLeft, *, keep: bool) -> None:
        self.done: Counter[str] = Counter()
        self.held: dict[Taken, None] = {}  # in the order in which they were taken, without what was removed
        self._forwarder = forwarder
        self._time_left = time_left
        self._keep = keep
        self._blocked: set[str] = set()  # documents and lanes of which something had to stay
        self._lateness = Lateness(forwarder.watermarks)

    def take(self, shelves: list[Shelf], room: int, seconds: float) -> Sequence[Taken]:
        """What each has to give. One that has nothing is asked no more: only what arrives during the run could be there."""
        taken: list[Taken] = []
        for shelf in tuple(shelves):
            if left := room - len(taken):
                found = [Taken(shelf=shelf, waiting=waiting) for waiting in shelf.backlog.take(left, seconds)]
                taken += found
                self.held |= dict.fromkeys(found)
                self.done["messages"] += len(found)
                if not found:
                    shelves.remove(shelf)
        return taken

    def work(self, taken: Sequence[Taken]) -> None:
        """Publish what these messages hold, in order per document whatever shelf they are from; remove what may go."""
        read = self._read_what_fits(taken)
        pieces = sorted((piece for pieces in read.values() for piece in pieces), key=lambda piece: piece.place)
        self._lateness.look(pieces, one_call_more(self._time_left))
        for _, group in groupby(pieces, key=together):
            self._publish(list(group))
        if not self._keep:
            for shelf, accepted in _by_shelf(one for one in read if not one.why):
                shelf.backlog.remove([one.waiting for one in accepted], one_call_more(self._time_left))
                for one in accepted:
                    del self.held[one]

    def give_back(self, some: Iterable[Taken]) -> None:
        """They can be taken again at once: by the next run, by a person, or, of what there was no room for, by this one."""
        for shelf, stays in _by_shelf(some):
            try:
                shelf.backlog.give_back([one.waiting for one in stays], one_call_more(self._time_left))
            except ForwarderError as error:  # they come back by themselves, a little later
                log.warning("not given back: %s", error, extra={"action": "not_given_back", "messages": len(stays)})

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
        self.give_back(unread)
        for one in unread:
            del self.held[one]
        self.done["messages"] -= len(unread)
        return read

    def _read(self, one: Taken) -> Sequence[Piece]:
        """What it holds; nothing where it holds nothing that can be read. The body is let go: a run takes more than fits."""
        try:
            message = one.shelf.read(one.waiting.body)
            one.weight = weight(message)
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
        return [Piece(one, msgspec.structs.replace(message, changes=(change,))) for change in message.changes]

    def _unreadable(self, one: Taken, error: UnreadableMessage) -> None:
        if one.shelf.parked:
            one.stays(str(error))
            return
        waiting = one.waiting
        record = {"body": waiting.body, "messageId": waiting.id, "attributes": {"MessageGroupId": waiting.group}}
        try:
            self._forwarder.set_aside([unreadable(record, error)], self._time_left)
            self.done["parked"] += 1
        except Exception as failure:
            one.stays(_reason(failure))

    def _publish(self, pieces: Sequence[Piece]) -> None:
        """Neighbours from one message. Where it is behind what had to stay, it stays too."""
        one, message = pieces[0].taken, pieces[0].message
        free: list[Change] = []
        for piece in pieces:
            if self._blocked & {piece.change.document, piece.lane}:
                self._hold(one, piece.change, BEHIND)
            else:
                free.append(piece.change)
        late = {piece.change.id for piece in pieces if self._lateness.of(piece)}
        publisher = LatePublisher(self._forwarder.publisher, late)
        block = self._forwarder.block or one.shelf.parked
        through = replace(self._forwarder, publisher=publisher, block=block)
        for run in runs(msgspec.structs.replace(message, changes=tuple(free))):
            self._publish_run(one, run, through)
        self.done["late"] += publisher.marked

    def _publish_run(self, one: Taken, run: ChangeMessage, through: Forwarder) -> None:
        try:
            self.done.update(through.publish(run, self._time_left))
        except BusGone:  # what was published just before may have been dropped: nothing more is removed
            raise
        except Exception as error:  # whatever it is, it must not hold back the others
            for change in run.changes:
                self._hold(one, change, _reason(error))
            if not isinstance(error, Blocked):
                self._blocked.add(group_id(run.stream, run.lane))
        else:
            self._lateness.published(run)

    def _hold(self, one: Taken, change: Change, why: str) -> None:
        self._blocked.add(change.document)
        one.stays(why, change)


def _by_shelf(taken: Iterable[Taken]) -> Iterable[tuple[Shelf, Sequence[Taken]]]:
    shelves: dict[str, list[Taken]] = {}
    for one in taken:
        shelves.setdefault(one.shelf.name, []).append(one)
    return [(some[0].shelf, some) for some in shelves.values()]


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, Blocked) else f"{type(error).__name__}: {error}"
