"""
Message groups whose messages may have ended the function: when to work on them, and the notes before the work on each change,
so that the change that ends the function is found.

A message is suspect if it was received before and the function did not respond to that receive. A failure during an outage is a
response: the function reports the message and notes that it did. A function that crashed, or ran out of memory or time, reports
nothing.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.claims.claimed import runs
from lambda_forwarder.errors import ForwarderError
from lambda_forwarder.model.attempt import READING, Attempt
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.ports import Attempts, TimeLeft
from lambda_forwarder.redelivery.returned_messages import ReturnedMessages
from tailrace.message import ChangeMessage

LIMIT = 3  # times that the work on a place begins; then this place is what ends the function
TURN = 3  # of so many receives of a suspect message, all but one wait for an invocation without other groups

log = logging.getLogger(__name__)

Groups = Mapping[str, Sequence[Delivery]]


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


def plan(
    groups: Groups, attempts: Attempts | None, returned: ReturnedMessages, time_left: TimeLeft
) -> Mapping[str, AttemptNotes]:
    """
    Return the groups to work on, in this order, each with its notes. All others return to the queue.

    Groups that are not suspect come first, so that a function that ends takes no others with it. At most one suspect group
    follows, and it waits for an invocation of its own if it can have one soon. The group that was begun least often comes
    first, so that a group that was only in the same batch as a bad message is soon free of suspicion.
    """
    received_before = [name for name, deliveries in groups.items() if deliveries[0].receives > 1]
    if not attempts or not received_before:
        return _without_notes(groups)
    try:
        notes = attempts.read(received_before, time_left)
    except ForwarderError as error:
        log.warning(
            "the notes of received messages cannot be read; their message groups return to the queue: %s",
            error,
            extra={"action": "notes_not_read"},
        )
        for name in received_before:
            returned.failed(groups[name], error)
        return _without_notes(name for name in groups if name not in received_before)
    suspects = [name for name in received_before if _is_suspect(groups[name][0], notes.get(name))]
    if not suspects:
        return _without_notes(groups)
    others = [name for name in groups if name not in suspects]
    chosen = min(suspects, key=lambda name: (_begun(groups[name], notes.get(name)), groups[name][0].receives))
    if others and groups[chosen][0].receives % TURN:
        _return_untouched(suspects, groups, returned, time_left)
        return _without_notes(others)
    _return_untouched([name for name in suspects if name != chosen], groups, returned, time_left)
    returned.hide_until_timeout([delivery for name in (*others, chosen) for delivery in groups[name]], time_left)
    return {**_without_notes(others), chosen: AttemptNotes(attempts, chosen, notes.get(chosen))}


def _without_notes(names: Iterable[str]) -> dict[str, AttemptNotes]:
    return {name: AttemptNotes() for name in names}


def _return_untouched(names: Sequence[str], groups: Groups, returned: ReturnedMessages, time_left: TimeLeft) -> None:
    returned.untouched([delivery for name in names for delivery in groups[name]], time_left)


def _is_suspect(first: Delivery, note: Attempt | None) -> bool:
    """Whether the function did not respond to the last receive of this message."""
    return note is None or note.message != first.id or note.answered < first.receives - 1


def _begun(deliveries: Sequence[Delivery], note: Attempt | None) -> int:
    return note.begun if note and note.message in {delivery.id for delivery in deliveries} else 0
