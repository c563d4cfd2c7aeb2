"""One redrive: what it has taken, and what it knows of the documents it met."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

import msgspec

from contract.change import Change
from contract.message import ChangeMessage, UnreadableMessage, group_id
from lambda_forwarder.claims.claimed import runs
from lambda_forwarder.errors import Blocked, ForwarderError
from lambda_forwarder.forward import Forwarder
from lambda_forwarder.parking.parked import legible, unreadable
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.publishing.late import LatePublisher
from lambda_forwarder.redriving.backlog import Shelf, Taken
from lambda_forwarder.watermarks.watermark import Watermark

BEHIND = "it waits behind an earlier change of its document or its lane"

log = logging.getLogger(__name__)


class Piece(NamedTuple):
    """One change of a taken message, in a message of its own."""

    taken: Taken
    message: ChangeMessage

    @property
    def change(self) -> Change:
        return self.message.changes[0]

    @property
    def lane(self) -> str:
        return group_id(self.message.stream, self.message.lane)

    @property
    def place(self) -> tuple[str, int, int]:
        """What it is ordered by."""
        return self.message.stream, self.message.generation, self.change.sequence


class Run:
    """
    Takes note of every message and of every document. What fails holds back what is behind it: poison its document, an
    outage its lane. With ``keep`` nothing is removed: for a dry run, whose ``forwarder`` publishes nothing.
    """

    def __init__(self, forwarder: Forwarder, time_left: TimeLeft, *, keep: bool) -> None:
        self.taken: list[Taken] = []
        self.done: Counter[str] = Counter()
        self._forwarder = forwarder
        self._time_left = time_left
        self._keep = keep
        self._held: set[str] = set()  # documents and lanes of which something had to stay
        self._newest: dict[str, tuple[int, int]] = {}  # by document, what was published here

    def take(self, shelves: list[Shelf], room: int, seconds: float) -> Sequence[Taken]:
        """What each has to give. One that has nothing is asked no more: only what arrives during the run could be there."""
        before = len(self.taken)
        for shelf in tuple(shelves):
            if left := before + room - len(self.taken):
                found = shelf.backlog.take(left, seconds)
                self.taken += (Taken(shelf=shelf, waiting=waiting) for waiting in found)
                if not found:
                    shelves.remove(shelf)
        return self.taken[before:]

    def work(self, taken: Sequence[Taken]) -> None:
        """Publish what these messages hold, in order per document whatever shelf they are from; remove what may go."""
        pieces = sorted((piece for one in taken for piece in self._read(one)), key=lambda piece: piece.place)
        marks = self._marks(pieces)
        for _, group in groupby(pieces, key=_together):
            self._publish(list(group), marks)
        if not self._keep:
            for shelf, accepted in _by_shelf(one for one in taken if not one.why):
                shelf.backlog.remove([one.waiting for one in accepted])
                for one in accepted:
                    one.removed = True

    def give_back(self) -> None:
        """What stays can be taken again at once, by the next run or by a person."""
        for shelf, stays in _by_shelf(one for one in self.taken if not one.removed):
            try:
                shelf.backlog.give_back([one.waiting for one in stays])
            except ForwarderError as error:  # they come back by themselves, a little later
                log.warning("not given back: %s", error, extra={"action": "not_given_back", "messages": len(stays)})

    def _read(self, one: Taken) -> Sequence[Piece]:
        try:
            message = one.shelf.read(one.waiting.body)
        except UnreadableMessage as error:
            self._unreadable(one, error)
            return ()
        return [Piece(one, msgspec.structs.replace(message, changes=(change,))) for change in message.changes]

    def _unreadable(self, one: Taken, error: UnreadableMessage) -> None:
        if one.shelf.parked:
            one.why = legible(str(error))
            return
        waiting = one.waiting
        record = {"body": waiting.body, "messageId": waiting.id, "attributes": {"MessageGroupId": waiting.group}}
        try:
            self._forwarder.set_aside([unreadable(record, error)])
            self.done["parked"] += 1
        except Exception as failure:
            one.why = _reason(failure)

    def _marks(self, pieces: Iterable[Piece]) -> Mapping[str, Watermark] | None:
        """The watermarks of their lanes; nothing where none are kept."""
        lanes = {piece.lane for piece in pieces}
        return self._forwarder.watermarks.read(lanes) if self._forwarder.watermarks else None

    def _publish(self, pieces: Sequence[Piece], marks: Mapping[str, Watermark] | None) -> None:
        """Neighbours from one message. Where it is behind what had to stay, it stays too."""
        one, message = pieces[0].taken, pieces[0].message
        free: list[Change] = []
        for piece in pieces:
            if self._held & {piece.change.document, piece.lane}:
                self._hold(one, piece.change, BEHIND)
            else:
                free.append(piece.change)
        publisher = LatePublisher(self._forwarder.publisher, {piece.change.id for piece in pieces if self._late(piece, marks)})
        block = self._forwarder.block or one.shelf.parked
        through = replace(self._forwarder, publisher=publisher, block=block)
        for run in runs(msgspec.structs.replace(message, changes=tuple(free))):
            self._publish_run(one, run, through)
        self.done["late"] += publisher.marked

    def _publish_run(self, one: Taken, run: ChangeMessage, through: Forwarder) -> None:
        try:
            self.done.update(through.publish(run, self._time_left))
        except Exception as error:  # whatever it is, it must not hold back the others
            for change in run.changes:
                self._hold(one, change, _reason(error))
            if not isinstance(error, Blocked):
                self._held.add(group_id(run.stream, run.lane))
        else:
            for change in run.changes:
                place = run.generation, change.sequence
                self._newest[change.document] = max(place, self._newest.get(change.document, place))

    def _late(self, piece: Piece, marks: Mapping[str, Watermark] | None) -> bool:
        """
        Whether something newer of its document was published, as far as anybody knows: here, exactly; before, by its lane's
        watermark, which other documents move too. Where no watermark is kept the forwarder went on all the same, supposedly;
        only of a dead letter it is known that nothing of its lane was published.
        """
        place = piece.message.generation, piece.change.sequence
        if place < self._newest.get(piece.change.document, place):
            return True
        mark = marks.get(piece.lane) if marks is not None else None
        if mark is None:
            return marks is None or piece.taken.shelf.parked
        return place < mark.position

    def _hold(self, one: Taken, change: Change, why: str) -> None:
        self._held.add(change.document)
        if not one.why:
            one.why, one.first = why, change


def _by_shelf(taken: Iterable[Taken]) -> Iterable[tuple[Shelf, Sequence[Taken]]]:
    shelves: dict[str, list[Taken]] = {}
    for one in taken:
        shelves.setdefault(one.shelf.name, []).append(one)
    return [(some[0].shelf, some) for some in shelves.values()]


def _together(piece: Piece) -> tuple[int, int]:
    """What may be published at once: neighbours from one message."""
    return id(piece.taken), piece.message.generation


def _reason(error: Exception) -> str:
    return legible(error.reason if isinstance(error, Blocked) else f"{type(error).__name__}: {error}")
