"""
Which message groups of a batch to work on now.

A message is suspect, that is, it may have ended the function, if it was received before and the function did not respond to
that receive. A failure during an outage is a response: the function reports the message and notes that it did. A function that
crashed, or ran out of memory or time, reports nothing.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence

from lambda_forwarder.errors import ForwarderError
from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.ports import Attempts, TimeLeft
from lambda_forwarder.redelivery.attempt_notes import AttemptNotes
from lambda_forwarder.redelivery.returned_messages import ReturnedMessages

TURN = 3  # of so many receives of a suspect message, all but one wait for an invocation without other groups

log = logging.getLogger(__name__)

Groups = Mapping[str, Sequence[Delivery]]


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
