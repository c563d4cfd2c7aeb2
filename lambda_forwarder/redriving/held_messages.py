"""The messages that a redrive holds until its end, and then releases to their queues."""

import logging
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import ForwarderError
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.redriving.outcome import Outcome
from lambda_forwarder.redriving.queues import RedriveQueue

RECEIPTS = 20_000  # of messages that stay, kept in memory: about 12 MB

log = logging.getLogger(__name__)


class HeldMessages:
    """
    Messages that stay in their queue. They are held until the redrive ends, so that each is tried once, and then released.
    Beyond ``RECEIPTS`` a message is not kept: it returns when its visibility timeout ends.
    """

    def __init__(self) -> None:
        self._held: list[Outcome] = []

    def keep(self, outcome: Outcome) -> None:
        """Hold the message until ``release``. Of the outcome only the receipt is kept."""
        if len(self._held) < RECEIPTS:
            receipt = replace(outcome.delivery, body="", group="")
            self._held.append(Outcome(queue=outcome.queue, delivery=receipt))

    def release(self, time_left: TimeLeft) -> None:
        """Release all messages."""
        release(self._held, time_left)
        self._held.clear()


def release(outcomes: Iterable[Outcome], time_left: TimeLeft) -> None:
    """Let these messages be received again at once: by this redrive, the next one, or a person."""
    for queue, some in by_queue(outcomes):
        try:
            queue.backlog.give_back([outcome.delivery for outcome in some], one_call_more(time_left))
        except ForwarderError as error:  # they return a little later
            log.warning(
                "messages were not released; they return when their visibility timeout ends: %s",
                error,
                extra={"action": "not_given_back", "messages": len(some)},
            )


def by_queue(outcomes: Iterable[Outcome]) -> Iterable[tuple[RedriveQueue, Sequence[Outcome]]]:
    """Return the outcomes of each queue, in order."""
    queues: dict[RedriveQueue, list[Outcome]] = {}
    for outcome in outcomes:
        queues.setdefault(outcome.queue, []).append(outcome)
    return queues.items()
