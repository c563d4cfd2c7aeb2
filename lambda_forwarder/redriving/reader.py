"""Reads the received messages, as many as fit into memory, and compares their mappers with the ones here."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from lambda_forwarder.errors import Blocked
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.model.parked import unreadable
from lambda_forwarder.parking.stubs import WAY_OUT
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.redriving.other_mappers import no_mapper, other_table
from lambda_forwarder.redriving.outcome import Outcome, RedrivenChange
from lambda_forwarder.redriving.queues import Content
from tailrace.wire.bounds import decoded
from tailrace.wire.message import UnreadableMessage, encode_change

SHARE = 8  # messages are read until they fill an eighth of the memory that one message may need
EVERYTHING = 1_000_000_000  # messages

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Options:
    """
    ``limit``: receive at most so many messages. ``dry_run``: publish, park and remove nothing. ``discard_unmapped``: the
    mappers here decide about changes that other mappers parked, and changes that no mapper reads are removed.
    ``discard_stubs``: remove parked changes that the tailer could not read.
    """

    limit: int = EVERYTHING
    dry_run: bool = False
    discard_unmapped: bool = False
    discard_stubs: bool = False


@dataclass(frozen=True)
class Reader:
    """Reads messages for a redrive. A dead letter that cannot be read is parked, and counted in ``counts``."""

    forwarder: Forwarder
    time_left: TimeLeft
    options: Options
    counts: Counter[str]

    def read_what_fits(self, outcomes: Sequence[Outcome]) -> Mapping[Outcome, Sequence[RedrivenChange]]:
        """Return the changes of the first messages, until they fill their share of the memory."""
        read: dict[Outcome, Sequence[RedrivenChange]] = {}
        memory = 0
        for outcome in outcomes:
            if read and memory >= self.forwarder.room // SHARE:
                break
            read[outcome] = self._read(outcome)
            memory += outcome.memory
        return read

    def _read(self, outcome: Outcome) -> Sequence[RedrivenChange]:
        """Return the changes of a message: none if it cannot be read. Drop its body, because not all bodies fit into memory."""
        try:
            content = self._without_stubs(outcome, outcome.queue.read(outcome.delivery.body))
            changes = content.message.changes
            if not changes:
                return ()
            outcome.memory = sum(decoded(encode_change(change)) for change in changes)
            outcome.no_mapper, unmapped = no_mapper(content, self.forwarder)
            outcome.other_table = "" if self.options.discard_unmapped else other_table(content, self.forwarder)
        except UnreadableMessage as error:
            self._set_aside(outcome, error)
            return ()
        except Exception as error:  # no error may hold back the other messages
            extra = {"action": "not_redriven", "message_id": outcome.delivery.id, "error": type(error).__name__}
            log.warning("a message cannot be read: %s", error, extra=extra, exc_info=True)
            outcome.keep(reason(error))
            return ()
        finally:
            outcome.delivery = msgspec.structs.replace(outcome.delivery, body="")
        if self.options.discard_unmapped and unmapped:
            outcome.remove_unpublished(f"discarded as requested: {outcome.no_mapper}", unmapped.document, unmapped.sequence)
        return [RedrivenChange(outcome, msgspec.structs.replace(content.message, changes=(change,))) for change in changes]

    def _without_stubs(self, outcome: Outcome, content: Content) -> Content:
        """A parked stub stays until a person discards it. No other change of its document waits for it."""
        changes = []
        for change in content.message.changes:
            if change.poison is not None and self.options.discard_stubs:
                reason = f"discarded as requested: {change.poison.reason}"
                outcome.remove_unpublished(reason, change.document, change.sequence)
            elif change.poison is not None and outcome.queue.is_parking:
                outcome.keep(f"{change.poison.reason}; {WAY_OUT}", change.document, change.sequence)
            else:
                changes.append(change)
        return content._replace(message=msgspec.structs.replace(content.message, changes=tuple(changes)))

    def _set_aside(self, outcome: Outcome, error: UnreadableMessage) -> None:
        if outcome.queue.is_parking:
            outcome.keep(str(error))
            return
        try:
            self.forwarder.set_aside([unreadable(outcome.delivery, error)], self.time_left)
            self.counts["parked"] += 1
            outcome.remove_unpublished(f"parked: {error}")
        except Exception as failure:
            outcome.keep(reason(failure))


def reason(error: Exception) -> str:
    """Return why a message stays after this error."""
    return error.reason if isinstance(error, Blocked) else f"{type(error).__name__}: {error}"
