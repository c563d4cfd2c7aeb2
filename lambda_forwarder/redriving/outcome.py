"""The deliveries of a redrive, and what becomes of them."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lambda_forwarder.deadline import one_call_more
from lambda_forwarder.errors import ForwarderError
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.parked import legible
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.redriving.queues import RedriveQueue
from lambda_forwarder.redriving.report import Mention
from tailrace.change import Change
from tailrace.message import ChangeMessage
from tailrace.wire.message import group_id

log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class Outcome:
    """
    A delivery of a redrive queue, without its body once it is read, and what becomes of it.

    ``stays`` is the reason why it stays in its queue, ``unpublished`` why it is removed although a change of it is not on the
    bus; ``document`` and ``sequence`` are of that change. ``no_mapper`` is the reason why the mappers here must not decide
    about it, ``other_table`` why it must not be removed if they produce no event. ``events`` were accepted. ``memory``: bytes.
    """

    queue: RedriveQueue
    delivery: Delivery
    memory: int = 0
    no_mapper: str = ""
    other_table: str = ""
    events: int = 0
    stays: str = ""
    unpublished: str = ""
    document: str = ""
    sequence: int = 0

    def keep(self, reason: str, document: str = "", sequence: int = 0) -> None:
        """Leave the delivery in its queue. Only the first reason counts."""
        if not self.stays:
            self.stays, self.document, self.sequence = legible(reason), legible(document), sequence

    def remove_unpublished(self, reason: str, document: str = "", sequence: int = 0) -> None:
        """Remove the delivery without an event of this change, unless it stays. Only the first reason counts."""
        if not self.unpublished:
            self.unpublished = legible(reason)
            if not self.stays:
                self.document, self.sequence = legible(document), sequence

    def mention(self, reason: str) -> Mention:
        """Return the line of the report about this delivery."""
        return Mention(
            queue=self.queue.name,
            message_id=self.delivery.id,
            document=self.document,
            sequence=self.sequence,
            reason=reason,
        )


class RedrivenChange(NamedTuple):
    """One change of a delivery, in a message of its own."""

    outcome: Outcome
    message: ChangeMessage

    @property
    def change(self) -> Change:
        return self.message.changes[0]

    @property
    def lane(self) -> str:
        return group_id(self.message.stream, self.message.lane)

    @property
    def position(self) -> tuple[int, int]:
        """(generation, sequence)"""
        return self.message.generation, self.change.sequence


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
