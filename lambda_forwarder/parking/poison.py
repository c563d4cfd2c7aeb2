"""The error of a change that cannot be published if FORWARDER_ON_POISON is block."""

from collections.abc import Sequence

from lambda_forwarder.errors import Blocked
from lambda_forwarder.model.parked import Parked, by_sequence
from lambda_forwarder.partial import note_unfinished


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
