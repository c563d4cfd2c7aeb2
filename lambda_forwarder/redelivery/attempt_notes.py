"""Notes each change of a suspect group before work on it begins, so that a change that ends the function is found."""

from collections.abc import Iterator

from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.model.attempt import READING, Attempt
from lambda_forwarder.ports import Attempts, TimeLeft
from tailrace.message import ChangeMessage

LIMIT = 3  # times that a place is begun; then it is what ends the function


class AttemptNotes:
    """
    The notes of one suspect group. ``last`` is the one that was found.

    A message that ends the function is received once without suspicion and ``LIMIT`` times with it; at the next receive the
    change that does it is parked, and the others go on.
    """

    def __init__(self, attempts: Attempts, group: str, last: Attempt | None) -> None:
        self._attempts = attempts
        self._group = group
        self._last = last

    def begin(self, message_id: str, place: int, time_left: TimeLeft) -> bool:
        """
        Note that work on this place begins. False where it was begun ``LIMIT`` times and never ended: leave it alone. Where it
        then cannot be set aside, it is begun once more at the next receive: it may have been corrected.

        Raises: as ``Attempts.write``; ``Unavailable`` too if the time was up before.
        """
        deadline.check(time_left, "the next change was begun")
        last = self._last
        begun = last.begun if last and (last.message, last.trying) == (message_id, place) else 0
        alone = begun >= LIMIT
        self._attempts.write(self._group, Attempt(message=message_id, trying=place, begun=LIMIT - 1 if alone else begun + 1))
        return not alone

    def reached(self, message_id: str) -> int:
        """The place before which everything of this message is done."""
        last = self._last
        return last.trying if last and last.message == message_id and last.trying is not None else READING

    def runs(self, message_id: str, message: ChangeMessage, new: ChangeMessage) -> Iterator[tuple[int, ChangeMessage]]:
        """The changes of ``new`` that are still to be done, each in a message of its own, with their places in the whole."""
        left = {id(change) for change in new.changes}
        reached = self.reached(message_id)
        for place, change in enumerate(message.changes):
            if place >= reached and id(change) in left:
                yield place, replace(message, changes=(change,))
