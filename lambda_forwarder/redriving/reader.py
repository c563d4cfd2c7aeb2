"""Reads the messages that were taken, as many as fit into memory, and compares whose mappers they ask for."""

import logging
from collections.abc import Mapping, Sequence

import msgspec

from lambda_forwarder.errors import Blocked
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.model.parked import unreadable
from lambda_forwarder.parking.stubs import WAY_OUT
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.redriving.backlog import Kept, Taken
from lambda_forwarder.redriving.other_mappers import elsewhere, stranger
from lambda_forwarder.redriving.piece import Piece
from lambda_forwarder.redriving.weight import weight
from tailrace.wire.message import UnreadableMessage

SHARE = 8  # of the memory that one message may take, an eighth is filled before it with what is read at once

log = logging.getLogger(__name__)


class Reader:
    """
    What cannot be read of a dead letter is parked through the forwarder, and ``parked`` counts it. With ``discard`` what no
    mapper reads may go, with ``discard_stubs`` what the tailer could not read.
    """

    def __init__(self, forwarder: Forwarder, time_left: TimeLeft, *, discard: bool, discard_stubs: bool) -> None:
        self.parked = 0
        self._forwarder = forwarder
        self._time_left = time_left
        self._discard = discard
        self._discard_stubs = discard_stubs

    def read_what_fits(self, taken: Sequence[Taken]) -> Mapping[Taken, Sequence[Piece]]:
        """What the first of them hold, until memory is full of it."""
        read: dict[Taken, Sequence[Piece]] = {}
        full = 0
        for one in taken:
            if read and full >= self._forwarder.room // SHARE:
                break
            read[one] = self._read(one)
            full += one.weight
        return read

    def _read(self, one: Taken) -> Sequence[Piece]:
        """What it holds; nothing where it holds nothing that can be read. The body is let go: a run takes more than fits."""
        try:
            kept = self._without_stubs(one, one.shelf.read(one.waiting.body))
            if not kept.message.changes:
                return ()
            one.weight = weight(kept.message)
            one.stranger, unmapped = stranger(kept, self._forwarder)
            one.elsewhere = "" if self._discard else elsewhere(kept, self._forwarder)
        except UnreadableMessage as error:
            self._unreadable(one, error)
            return ()
        except Exception as error:  # whatever it is, it must not hold back the others
            extra = {"action": "not_redriven", "message_id": one.waiting.id, "error": type(error).__name__}
            log.warning("a message cannot be read: %s", error, extra=extra, exc_info=True)
            one.stays(reason(error))
            return ()
        finally:
            one.waiting = msgspec.structs.replace(one.waiting, body="")
        if self._discard and unmapped:
            one.goes_without(f"discarded as requested: {one.stranger}", unmapped.document, unmapped.sequence)
        return [Piece(one, msgspec.structs.replace(kept.message, changes=(change,))) for change in kept.message.changes]

    def _without_stubs(self, one: Taken, kept: Kept) -> Kept:
        """A stub that was parked stays, whatever is tried, until a person discards it. Nothing of its document waits for it."""
        changes = []
        for change in kept.message.changes:
            if change.poison is not None and self._discard_stubs:
                one.goes_without(f"discarded as requested: {change.poison.reason}", change.document, change.sequence)
            elif change.poison is not None and one.shelf.parked:
                one.stays(f"{change.poison.reason}; {WAY_OUT}", change.document, change.sequence)
            else:
                changes.append(change)
        return kept._replace(message=msgspec.structs.replace(kept.message, changes=tuple(changes)))

    def _unreadable(self, one: Taken, error: UnreadableMessage) -> None:
        if one.shelf.parked:
            one.stays(str(error))
            return
        waiting = one.waiting
        record = {"body": waiting.body, "messageId": waiting.id, "attributes": {"MessageGroupId": waiting.group}}
        try:
            self._forwarder.set_aside([unreadable(record, error)], self._time_left)
            self.parked += 1
            one.goes_without(f"parked: {error}")
        except Exception as failure:
            one.stays(reason(failure))


def reason(error: Exception) -> str:
    """Why a message stays that this was raised for."""
    return error.reason if isinstance(error, Blocked) else f"{type(error).__name__}: {error}"
