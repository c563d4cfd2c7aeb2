"""Poison that blocks: what may still be published when a change cannot be and nothing may overtake it."""

from collections.abc import Sequence

from msgspec.structs import replace

from lambda_forwarder.errors import Blocked
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.partial import note_unfinished
from tailrace.change import Change
from tailrace.message import ChangeMessage


def blocked_by(poison: Sequence[Parked]) -> Blocked:
    """The error that holds the group back, about the first of them in the order of the stream."""
    first = min(poison, key=_sequence)
    known = "it ended the function" if first.ended else "it is not readable"
    where = " ".join(part for part in (first.mapper, first.event, *first.stack[-1:]) if part) or known
    blocked = Blocked(
        f"change {first.sequence} of {first.document} cannot be published ({where}) and FORWARDER_ON_POISON is block: its "
        "message group waits until the mapper or the document is fixed, FORWARDER_ON_POISON is park, or SQS moves the message "
        "to the dead-letter queue",
        sequence=first.sequence,
        reason=first.reason,
    )
    note_unfinished(blocked, first.sequence)
    return blocked


def ahead(entries: Sequence[Entry], poison: Sequence[Parked]) -> list[Entry]:
    """The events of the changes before the first poison one."""
    first = min(map(_sequence, poison))
    return [entry for entry in entries if entry.change.sequence < first]


def before(message: ChangeMessage, sequence: int) -> ChangeMessage:
    """The message's changes before this one."""
    return replace(message, changes=tuple(change for change in message.changes if change.sequence < sequence))


def from_on(message: ChangeMessage, sequence: int) -> tuple[Change, ...]:
    """The message's changes from this one on."""
    return tuple(change for change in message.changes if change.sequence >= sequence)


def _sequence(item: Parked) -> int:
    return item.sequence
