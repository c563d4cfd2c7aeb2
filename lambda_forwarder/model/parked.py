"""Changes and messages that cannot be published, with the reason and all that a person needs to publish them again."""

import traceback
from pathlib import Path
from typing import Any

from msgspec import Raw, Struct
from msgspec.structs import replace

from lambda_forwarder.errors import Rejected, Unavailable
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry
from tailrace.change import Change
from tailrace.events import Mapper, mapper_name
from tailrace.message import ChangeMessage
from tailrace.text import legible as from_outside
from tailrace.wire import identity
from tailrace.wire.change import Claim
from tailrace.wire.message import TooLarge, UnreadableMessage, encode_change, pack

TEXT_LIMIT = 2_000  # characters of a reason or a name: an exception may quote a whole document
STACK_LIMIT = 5  # frames, the innermost ones

NOTHING = Raw(b"null")  # a ``message`` that had to be left out
OUTAGE = "lambda_forwarder.handlers.dynamodb._outage"  # in the place of a mapper: an item parked for an outage has its own id
AGAIN = "redrive (tailrace redrive); events already published repeat with the same id"


class Parked(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """
    A change, or a message that cannot be read, that was set aside.

    ``message`` is a change alone, as a message that can be sent to the queue again as it is. ``body`` is an unreadable message
    as it came (``body_gzip``: the same in base64, if ``body`` does not fit into the queue). ``claim`` is the place in S3 of
    what does not fit at all. ``ended`` counts how often the function ended while it worked on this item: redrive skips such an
    item unless it is asked for. ``mapper`` is the mapper that failed and ``mappers`` its table (FORWARDER_MAPPERS): redrive
    compares both.
    """

    id: str
    reason: str
    remedy: str
    document: str
    stream: str = ""
    generation: int = 0
    sequence: int = 0
    change_id: str = ""
    mapper: str = ""
    mappers: str = ""
    event: str = ""
    stack: tuple[str, ...] = ()
    message: Raw = NOTHING
    body: str | None = None
    body_gzip: str | None = None
    claim: Claim | None = None
    omitted: str = ""
    ended: int = 0


def by_sequence(item: Parked) -> int:
    """The sort key for the order of a stream."""
    return item.sequence


def unreadable(delivery: Delivery, error: UnreadableMessage, ended: int = 0) -> Parked:
    """A delivery that cannot be read, or that ended the function while it was read. Its order is that of its message group."""
    return Parked(
        id=_id(delivery.group, delivery.body),
        reason=legible(str(error)),
        remedy="find out who sent the message; if a tailer sent it, deploy a forwarder that reads it, then redrive",
        document=legible(delivery.group),
        body=delivery.body,
        ended=ended,
    )


def unmapped(change: Change, message: ChangeMessage, mapper: Mapper, error: Exception) -> Parked:
    """A change for which a mapper raised an error."""
    reason, remedy = f"{type(error).__name__}: {error}", f"fix the mapper or the document, deploy, then {AGAIN}"
    return of_change(change, message, reason, remedy, mapper=mapper_name(mapper), stack=_stack(error))


def unclaimed(change: Change, message: ChangeMessage, error: Rejected) -> Parked:
    """A change that was too large for a message, and whose object in S3 is missing or another one."""
    reason = f"the claimed change cannot be fetched: {error}"
    remedy = (
        f"if the object was deleted or replaced, restore it under its key from a version or a backup, then {AGAIN}. "
        "Without the object only the current document in the database is left"
    )
    return of_change(change, message, reason, remedy)


def refused(entry: Entry, message: ChangeMessage, reason: str) -> Parked:
    """A change whose event the bus will never accept."""
    remedy = f"change the mapper so that the event is smaller or its data valid, deploy, then {AGAIN}"
    return of_change(entry.change, message, reason, remedy, mapper=entry.mapper, event=entry.detail_type)


def ended(change: Change, message: ChangeMessage, times: int) -> Parked:
    """A change that ended the function each time. No mapper has read it."""
    reason = f"the function ended {times} times while it worked on this change: it ran out of memory or time, or crashed"
    remedy = (
        "give the function more memory or time, or fix the mapper, deploy, then redrive with --ended; events "
        "already published repeat with the same id"
    )
    return of_change(change, message, reason, remedy, ended=times)


def postponed(change: Change, message: ChangeMessage, error: Unavailable) -> Parked:
    """A change whose events the bus did not accept in time. Nothing is wrong with the change."""
    reason, remedy = f"{type(error).__name__}: {error}", "redrive once the bus is available again; there is nothing to fix"
    return replace(of_change(change, message, reason, remedy, mapper=OUTAGE), mapper="")


def of_change(
    change: Change, message: ChangeMessage, reason: str, remedy: str, *, mapper: str = "", event: str = "", **more: Any
) -> Parked:
    """A change that is set aside, as a message that can be sent again. ``more``: other fields of ``Parked``."""
    again, omitted = _again(change, message)
    mapper = legible(mapper)
    return Parked(
        id=_id(message.stream, message.generation, change.id, mapper, event),
        reason=legible(reason),
        remedy=remedy,
        document=legible(change.document),
        stream=legible(message.stream),
        generation=message.generation,
        sequence=change.sequence,
        change_id=legible(change.id),
        mapper=mapper,
        event=event,
        message=again,
        omitted=omitted,
        **more,
    )


def light(change: Change) -> Change:
    """Return the change as it was in the queue: without its documents if it has a claim."""
    if change.claim is None:
        return change
    return replace(change, full_document=None, full_document_before_change=None, update_description=None, remembered={})


def legible(text: str) -> str:
    """Return the text without characters that a queue or a terminal rejects, cut to ``TEXT_LIMIT``."""
    return from_outside.legible(text[:TEXT_LIMIT])[:TEXT_LIMIT]


def _stack(error: Exception) -> tuple[str, ...]:
    """Return the innermost frames, outermost first, as ``package/module.py:12 function``: no values, no local paths."""
    frames = traceback.extract_tb(error.__traceback__)[-STACK_LIMIT:]
    return tuple(legible(f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}") for frame in frames)


def _again(change: Change, message: ChangeMessage) -> tuple[Raw, str]:
    try:
        encoded = encode_change(light(change))
        body = pack(stream=message.stream, generation=message.generation, lane=message.lane, changes=[encoded])
    except TooLarge as error:
        return NOTHING, f"the change does not fit into a message: {error}"
    return Raw(body.encode()), ""


def _id(*parts: object) -> str:
    return identity.digest("\n".join(map(str, parts)), 32).hex()
