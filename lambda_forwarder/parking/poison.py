"""
Poison. A stub is a change that the tailer could not read and sent without its documents: it can never become an event. If
FORWARDER_ON_POISON is block, an error holds back the message group of a change that cannot be published.
"""

import shlex
from collections.abc import Sequence

from lambda_forwarder.errors import Blocked
from lambda_forwarder.model.parked import Parked, by_sequence, legible, of_change
from lambda_forwarder.partial import note_unfinished
from tailrace.change import Change
from tailrace.message import ChangeMessage
from tailrace.wire.change import Claim, Poison

DISCARD = "tailrace redrive --discard-stubs"
STUB_STAYS = f"the tailer could not read the change, so it cannot become an event: follow its remedy, then run {DISCARD}"
READ = "from bson.raw_bson import RawBSONDocument as D; print(dict(D(open('event.bson','rb').read())))"


def stub(change: Change, message: ChangeMessage, poison: Poison) -> Parked:
    """Return the item to park for a stub."""
    return of_change(change, message, poison.reason, _remedy(poison.raw))


def _remedy(raw: Claim | None) -> str:
    first = "the event was not kept: check the document in the database"
    if raw is not None:
        address = shlex.quote(legible(f"s3://{raw.bucket}/{raw.key}"))
        first = f'read the raw event (with pymongo): aws s3 cp {address} event.bson && python -P -c "{READ}"'
    return f"{first}. Fix the document in the database: its next change is delivered as usual. Then remove this item: {DISCARD}"


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
