"""The messages of one invocation that the queue hands out again: when, and the note that the function answered about them."""

import logging
from collections.abc import Callable, Sequence

from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import Blocked, ForwarderError, is_of_the_machine
from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.model.received import Record, age, group, receives
from lambda_forwarder.ports import Attempts, Queue, TimeLeft
from lambda_forwarder.redelivery.pause import LONGEST, LONGEST_BLOCKED, LONGEST_ENDED, LONGEST_MACHINE, pause

NOTES_SECONDS = 2.0  # beyond the time left in which notes are still written; without one a group is suspect for nothing

MACHINE_SECONDS = 60.0  # at least, for a machine that lacks something

log = logging.getLogger(__name__)


class Returned:
    """
    What goes back to ``queue``, where there is one. ``now`` is the time of day in seconds.

    Neither a note nor a pause is worth failing for: without them messages come again later, and are looked at with more care.
    """

    def __init__(self, queue: Queue | None, attempts: Attempts | None, now: Callable[[], float]) -> None:
        self.ids: set[str] = set()
        self._queue = queue
        self._attempts = attempts
        self._now = now
        self._hidden: dict[str, tuple[Record, float]] = {}
        self._notes: dict[str, Attempt] = {}

    def untouched(self, records: Sequence[Record]) -> None:
        """These wait for their turn, and may come again at once."""
        self._hide(records, 0.0)

    def failed(self, records: Sequence[Record], error: Exception | None, *, moved: bool = False) -> None:
        """
        The first of these messages of a group failed, or was not begun before the time was up. ``moved``: something of the
        group was done, so that it goes on at once.
        """
        first = records[0]
        seconds = 0.0 if moved else pause(age(first, self._now()), _longest(error))
        if error and is_of_the_machine(error):  # this is no answer: it may be the message's doing, or it may pass
            seconds = max(seconds, MACHINE_SECONDS)
        elif not (isinstance(error, ForwarderError) and error.ended):  # that stays suspect, and takes no others with it
            self._notes[group(first)] = Attempt(message=first["messageId"], answered=receives(first))
        self._hide(records, seconds)

    def settle(self, time_left: TimeLeft) -> None:
        """
        Write the notes and tell the queue, as far as there is time. The note of the last group is always written: it may be
        suspect, and an outage must not be taken for an end of the function.
        """
        last_first = list(self._notes.items())[::-1]
        for number, (name, note) in enumerate(last_first):
            if self._attempts and (number == 0 or time_left() > -NOTES_SECONDS):
                try:
                    self._attempts.write(name, note)
                except ForwarderError as error:
                    log.warning("the failure of lane %s was not recorded: %s", name, error, extra={"action": "not_noted"})
        if self._queue and self._hidden:
            try:
                self._queue.hide(list(self._hidden.values()), one_call_more(time_left))
            except ForwarderError as error:
                log.warning(
                    "no retry delay was set; the messages return after the queue's own visibility timeout: %s",
                    error,
                    extra={"action": "not_hidden"},
                )

    def _hide(self, records: Sequence[Record], seconds: float) -> None:
        self.ids.update(record["messageId"] for record in records)
        self._hidden |= {record["messageId"]: (record, seconds) for record in records}


def _longest(error: Exception | None) -> float:
    """The longest pause, in seconds, after this error."""
    if isinstance(error, Blocked):
        return LONGEST_ENDED if error.ended else LONGEST_BLOCKED
    return LONGEST_MACHINE if error and is_of_the_machine(error) else LONGEST
