"""Reads the received messages, as many as fit into memory, and compares their mappers with the ones here."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from lambda_forwarder.errors import Blocked
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.mapping.events import is_mapped, mappers_for
from lambda_forwarder.model.parked import legible, unreadable
from lambda_forwarder.parking.poison import STUB_STAYS
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.redriving.outcome import Outcome, RedrivenChange
from lambda_forwarder.redriving.queues import Content
from tailrace.change import Change
from tailrace.events import mapper_name
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
                outcome.keep(f"{change.poison.reason}; {STUB_STAYS}", change.document, change.sequence)
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


WAY_OUT = (
    "set FORWARDER_MAPPERS to the value of the deployed function. If a mapper or collection was renamed or removed on "
    "purpose, redrive --discard-unmapped publishes the events that the mappers here produce, and removes the message"
)


def no_mapper(content: Content, forwarder: Forwarder) -> tuple[str, Change | None]:
    """
    Return why the forwarder's mappers must not decide about this content, or nothing. If no mapper reads a collection, return
    the first change of that collection too.
    """
    ours = f"FORWARDER_MAPPERS={forwarder.table}" if forwarder.table else "the table here"
    theirs = f" of FORWARDER_MAPPERS={content.mappers}" if content.mappers else ""
    for change in content.message.changes:
        collection = legible(str(change.ns))
        if not is_mapped(change, forwarder.mappers):
            parked_by = f"; it was parked by {content.mapper}{theirs}" if content.mapper else ""
            return f"no mapper of {ours} reads {collection}{parked_by}", change
        names = (legible(mapper_name(mapper)) for mapper in mappers_for(change, forwarder.mappers))
        if content.mapper and content.mapper not in names:
            return f"it was parked by the mapper {content.mapper}{theirs}, which {ours} does not have for {collection}", None
    if not content.mapper and content.mappers and forwarder.table not in ("", content.mappers):
        return f"it was parked where FORWARDER_MAPPERS was {content.mappers}; here it is {forwarder.table}", None
    return "", None


def other_table(content: Content, forwarder: Forwarder) -> str:
    """
    Return why the mappers here may be others than those that parked the change, although they read its collection: two tables
    may have mappers of the same name. Their events count as right. If they produce no event, the change stays.
    """
    if forwarder.table in ("", content.mappers) or not content.change_id:
        return ""
    if content.mappers:
        return f"it was parked where FORWARDER_MAPPERS was {legible(content.mappers)}; here it is {forwarder.table}"
    return "" if content.mapper else "it does not say by which mapper, or of which FORWARDER_MAPPERS, it was parked"
