"""
The messages of one invocation that return to the queue: after what pause, and the notes that they failed.

The pause is a share of the time for which the message has failed already: after a short outage the messages return soon, and a
long outage costs few receives. SQS moves a message that was received ``RECEIVES`` times to the dead-letter queue. With these
bounds an outage receives it fewer than 900 times in 14 days, the longest time that a queue keeps a message.
"""

import logging
from collections.abc import Callable, Sequence

from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import Blocked, ForwarderError, is_of_the_machine
from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.ports import Attempts, Queue, TimeLeft

RECEIVES = 1_000  # the largest maxReceiveCount, SQS
SHARE = 1 / 8  # of the time since the first receive
SHORTEST = 2.0  # seconds
LONGEST = 1_500.0  # seconds; the last lane continues 25 minutes after the end of an outage
LONGEST_BLOCKED = 1_140.0  # seconds; a message that nobody fixes is a dead letter after 12 days, before the queue deletes it
LONGEST_ENDED = 1_680.0  # seconds, if the message ends the function at every second receive; both pauses together are as long
LONGEST_MACHINE = 600.0  # seconds, if the machine lacks memory or the like: the visibility timeout of the queue
MACHINE_SECONDS = 60.0  # the shortest delay if the machine lacks memory or the like
SUSPECT_SECONDS = 15.0  # after the time left, longer than its margin: a suspect message returns after the function has ended
NOTES_SECONDS = 2.0  # after the time left in which notes are still written; a group without a note is suspect for no reason

log = logging.getLogger(__name__)


class ReturnedMessages:
    """
    The messages that return to ``queue``, if there is one. ``now`` is in seconds since 1970.

    A note or a delay that cannot be written fails no message. The messages then return later, or are suspect for no reason.
    """

    def __init__(self, queue: Queue | None, attempts: Attempts | None, now: Callable[[], float]) -> None:
        self.ids: set[str] = set()
        self._queue = queue
        self._attempts = attempts
        self._now = now
        self._delays: dict[str, tuple[Delivery, float]] = {}
        self._notes: dict[str, Attempt] = {}

    def untouched(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:
        """Return these messages at once, because this invocation may end without a response."""
        self.ids.update(delivery.id for delivery in deliveries)
        self._set_delays([(delivery, 0.0) for delivery in deliveries], time_left)

    def hide_until_timeout(self, deliveries: Sequence[Delivery], time_left: TimeLeft) -> None:
        """
        Hide these messages until shortly after the function's timeout. If one of them ends the function, they return then, and
        not after the longer visibility timeout of the queue.
        """
        seconds = max(0.0, time_left()) + SUSPECT_SECONDS
        self._set_delays([(delivery, seconds) for delivery in deliveries], time_left)

    def failed(self, deliveries: Sequence[Delivery], error: Exception | None, *, moved: bool = False) -> None:
        """
        Return these messages of one group. The first of them failed, or was not begun before the time was up. ``moved``: a part
        of the group was finished, so the rest returns at once.
        """
        first = deliveries[0]
        seconds = 0.0 if moved else pause(first.age(self._now()), _longest(error))
        if error and is_of_the_machine(error):  # no note: the message may be the cause, or the problem may pass
            seconds = max(seconds, MACHINE_SECONDS)
        elif not (isinstance(error, ForwarderError) and error.ended):  # a change that ends the function stays suspect
            self._notes[first.group] = Attempt(message=first.id, answered=first.receives)
        self.ids.update(delivery.id for delivery in deliveries)
        self._delays |= {delivery.id: (delivery, seconds) for delivery in deliveries}

    def finish(self, time_left: TimeLeft) -> None:
        """
        Write the notes, as far as there is time, and set the delays. The note of the last group is always written: the group
        may be suspect, and an outage must not count as an end of the function.
        """
        last_first = list(self._notes.items())[::-1]
        for number, (group, note) in enumerate(last_first):
            if self._attempts and (number == 0 or time_left() > -NOTES_SECONDS):
                try:
                    self._attempts.write(group, note)
                except ForwarderError as error:
                    log.warning("the failure of lane %s was not recorded: %s", group, error, extra={"action": "not_noted"})
        self._set_delays(list(self._delays.values()), one_call_more(time_left))

    def _set_delays(self, delays: Sequence[tuple[Delivery, float]], time_left: TimeLeft) -> None:
        if self._queue and delays:
            try:
                self._queue.hide(delays, time_left)
            except ForwarderError as error:
                log.warning(
                    "no retry delay was set; the messages return after the queue's own visibility timeout: %s",
                    error,
                    extra={"action": "not_hidden"},
                )


def _longest(error: Exception | None) -> float:
    """Return the longest delay after this error, in seconds."""
    if isinstance(error, Blocked):
        return LONGEST_ENDED if error.ended else LONGEST_BLOCKED
    return LONGEST_MACHINE if error and is_of_the_machine(error) else LONGEST


def pause(age: float, longest: float = LONGEST) -> float:
    """Return the pause in seconds for a message that was first received ``age`` seconds ago."""
    return min(max(SHORTEST, age * SHARE), longest)
