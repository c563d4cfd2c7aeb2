"""The messages of one invocation that the queue hands out again: when, and the note that the function answered about them."""

import logging
from collections.abc import Callable, Sequence

from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import Blocked, ForwarderError, is_of_the_machine
from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.model.received import Record, age, group, receives
from lambda_forwarder.ports import Attempts, Queue, TimeLeft
from lambda_forwarder.redelivery.pause import LONGEST, LONGEST_BLOCKED, LONGEST_ENDED, LONGEST_MACHINE, pause

SUSPECT_SECONDS = 15.0  # beyond the time left, more than its margin: a suspect comes again once the function has ended
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

    def untouched(self, records: Sequence[Record], time_left: TimeLeft) -> None:
        """These wait for their turn, and may come again at once. The queue is told now: this invocation may never answer."""
        self.ids.update(record["messageId"] for record in records)
        self._tell([(record, 0.0) for record in records], time_left)

    def soon(self, records: Sequence[Record], time_left: TimeLeft) -> None:
        """
        If one of these ends the function now, they come again soon after its time is over, and not when the queue's own
        visibility timeout is.
        """
        seconds = max(0.0, time_left()) + SUSPECT_SECONDS
        self._tell([(record, seconds) for record in records], time_left)

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
        self._tell(list(self._hidden.values()), one_call_more(time_left))

    def _tell(self, hidden: Sequence[tuple[Record, float]], time_left: TimeLeft) -> None:
        if self._queue and hidden:
            try:
                self._queue.hide(hidden, time_left)
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
