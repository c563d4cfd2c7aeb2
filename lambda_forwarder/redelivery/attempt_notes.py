"""
Notes about a suspect message group, written before the work on each change, so that a change that ends the function is found.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.claims.claimed import runs
from lambda_forwarder.model.attempt import READING, Attempt
from lambda_forwarder.ports import Attempts, TimeLeft
from tailrace.message import ChangeMessage

LIMIT = 3  # times that the work on a place begins; then this place is what ends the function


class AttemptNotes:
    """
    The notes about one message group. Without ``attempts``, for a group that is not suspect, nothing is noted. ``last`` is the
    note that was stored last.

    A message that ends the function is received once without suspicion and ``LIMIT`` times with it. At the next receive the
    change that ends the function is parked, and the others are published.
    """

    def __init__(self, attempts: Attempts | None = None, group: str = "", last: Attempt | None = None) -> None:
        self._attempts = attempts
        self._group = group
        self._last = last

    def begin_reading(self, message_id: str, time_left: TimeLeft) -> bool:
        """As ``begin``, for reading the message. True if it was read before."""
        return self._reached(message_id) != READING or self.begin(message_id, READING, time_left)

    def begin(self, message_id: str, place: int, time_left: TimeLeft) -> bool:
        """
        Note that the work on this place begins. Return False if it began ``LIMIT`` times and never ended: the place must be set
        aside. If it cannot be set aside, the work begins once more at the next receive, because it may be corrected by then.
        """
        if self._attempts is None:
            return True
        deadline.check(time_left, "the next change was begun")
        last = self._last
        begun = last.begun if last and (last.message, last.trying) == (message_id, place) else 0
        ends_the_function = begun >= LIMIT
        count = LIMIT - 1 if ends_the_function else begun + 1
        self._attempts.write(self._group, Attempt(message=message_id, trying=place, begun=count))
        return not ends_the_function

    def parts(self, message_id: str, message: ChangeMessage, new: ChangeMessage) -> Iterator[tuple[int, ChangeMessage]]:
        """
        Return the parts of ``new``, the unpublished changes of the message, that are published together, each with its place.
        In a suspect group a part is one change, its place is the change's index in the message, and finished parts are left
        out.
        """
        if self._attempts is None:
            yield from enumerate(runs(new))
            return
        left = {id(change) for change in new.changes}
        reached = self._reached(message_id)
        for place, change in enumerate(message.changes):
            if place >= reached and id(change) in left:
                yield place, replace(message, changes=(change,))

    def _reached(self, message_id: str) -> int:
        """Return the place before which everything of this message is done."""
        last = self._last
        return last.trying if last and last.message == message_id and last.trying is not None else READING
