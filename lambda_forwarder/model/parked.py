"""What could not be published, with its reason and all that a person needs to try it again."""

import hashlib
import traceback
from pathlib import Path
from typing import Any

from msgspec import Raw, Struct
from msgspec.structs import replace

from lambda_forwarder.errors import Rejected
from lambda_forwarder.model.entry import Entry
from tailrace.change import Change
from tailrace.events import Mapper, mapper_name
from tailrace.message import ChangeMessage
from tailrace.text import legible as from_outside
from tailrace.wire.change import Claim
from tailrace.wire.message import TooLarge, UnreadableMessage, encode_change, pack

TEXT_LIMIT = 2_000  # characters of a reason or a name: an exception may quote a whole document
STACK_LIMIT = 5  # frames, the innermost, of which one sees where it happened

NOTHING = Raw(b"null")  # a ``message`` that had to be left out
AGAIN = "redrive (python -P -m lambda_forwarder redrive); events already published repeat with the same id"


class Parked(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """
    One thing that was set aside. What it was is either ``message``, the change alone as a message that can be sent to the
    queue again as it stands, or ``body`` (``bodyGzip`` where that does not fit, base64), what came when it was not ours. Where
    neither fits, it lies where ``claim`` says.
    ``ended`` is how often the function ended over it: redrive leaves such an item alone unless it is told otherwise.
    ``mapper`` is the one whose work it was, ``mappers`` the table that it was in (FORWARDER_MAPPERS): redrive asks for them.
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


def unreadable(record: dict[str, Any], error: UnreadableMessage, ended: int = 0) -> Parked:
    """A queue message that is not one of ours, or that ended the function while it was read. Its group is all its order."""
    body: str = record["body"]
    group = record["attributes"].get("MessageGroupId", record["messageId"])
    return Parked(
        id=_id(group, body),
        reason=legible(str(error)),
        remedy="find out who sent the message; if a tailer sent it, deploy a forwarder that reads it, then redrive",
        document=legible(group),
        body=body,
        ended=ended,
    )


def unmapped(change: Change, message: ChangeMessage, mapper: Mapper, error: Exception) -> Parked:
    """A change that a mapper could not digest."""
    return of_change(
        change,
        message,
        reason=f"{type(error).__name__}: {error}",
        remedy=f"fix the mapper or the document, deploy, then {AGAIN}",
        mapper=legible(mapper_name(mapper)),
        stack=_stack(error),
    )


def unclaimed(change: Change, message: ChangeMessage, error: Rejected) -> Parked:
    """A change too large for a message, whose whole cannot be had from where it claims to lie."""
    return of_change(
        change,
        message,
        reason=f"the claimed change cannot be fetched: {error}",
        remedy=f"if the object was deleted or replaced, restore it under its key from a version or a backup, then {AGAIN}. "
        "Without the object only the current document in the database is left",
    )


def refused(entry: Entry, message: ChangeMessage, reason: str) -> Parked:
    """A change whose event the bus will never take."""
    return of_change(
        entry.change,
        message,
        reason=reason,
        remedy=f"change the mapper so that the event is smaller or its data valid, deploy, then {AGAIN}",
        mapper=legible(entry.mapper),
        event=entry.detail_type,
    )


def ended(change: Change, message: ChangeMessage, times: int) -> Parked:
    """A change that ended the function whenever it was worked on. It is parked as it came, unread by any mapper."""
    return of_change(
        change,
        message,
        reason=f"the function ended {times} times while it worked on this change: it ran out of memory or time, or crashed",
        remedy="give the function more memory or time, or fix the mapper, deploy, then redrive with --ended; events "
        "already published repeat with the same id",
        ended=times,
    )


def of_change(
    change: Change,
    message: ChangeMessage,
    *,
    reason: str,
    remedy: str,
    mapper: str = "",
    event: str = "",
    stack: tuple[str, ...] = (),
    ended: int = 0,
) -> Parked:
    """A change that was set aside, as a message that can be sent again."""
    again, omitted = _again(change, message)
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
        stack=stack,
        message=again,
        omitted=omitted,
        ended=ended,
    )


def light(change: Change) -> Change:
    """The change as it travelled: one that has a claim leaves its documents there."""
    if change.claim is None:
        return change
    return replace(change, full_document=None, full_document_before_change=None, update_description=None)


def legible(text: str) -> str:
    """Text that any queue accepts and any terminal shows, cut to ``TEXT_LIMIT``."""
    return from_outside.legible(text[:TEXT_LIMIT])[:TEXT_LIMIT]


def _stack(error: Exception) -> tuple[str, ...]:
    """The innermost frames, outermost first, as ``package/module.py:12 function``: no values, no paths of a machine."""
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
    text = "\n".join(map(str, parts))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
