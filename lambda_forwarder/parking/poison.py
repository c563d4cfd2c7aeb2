"""What may still be published if a change cannot be, and FORWARDER_ON_POISON is block."""

from collections.abc import Sequence

from msgspec.structs import replace

from lambda_forwarder.errors import Blocked
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked, by_sequence
from lambda_forwarder.partial import note_unfinished
from tailrace.message import ChangeMessage


def blocked_by(poison: Sequence[Parked]) -> Blocked:
    """Return the error that holds the message group back. It is about the first poison change of the stream."""
    first = min(poison, key=by_sequence)
    cause = "it ended the function" if first.ended else "it is not readable"
    where = " ".join(part for part in (first.mapper, first.event, *first.stack[-1:]) if part) or cause
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
    """Return the events of the changes before the first poison change."""
    first = min(map(by_sequence, poison))
    return [entry for entry in entries if entry.change.sequence < first]


def before(message: ChangeMessage, sequence: int) -> ChangeMessage:
    """Return the message with only its changes before this sequence."""
    return replace(message, changes=tuple(change for change in message.changes if change.sequence < sequence))
