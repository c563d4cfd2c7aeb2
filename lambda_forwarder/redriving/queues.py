"""The queues that redrive reads: parked changes and dead letters become messages of changes again."""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import msgspec

from lambda_forwarder.errors import Rejected
from lambda_forwarder.forwarding.reading import read_message
from lambda_forwarder.model.parked import NOTHING, Parked
from lambda_forwarder.ports import Backlog, Claims
from tailrace.message import ChangeMessage
from tailrace.wire.change import Claim
from tailrace.wire.message import MEMORY, MESSAGE_LIMIT, UnreadableMessage

CLAIM_LIMIT = 3 * MESSAGE_LIMIT  # bytes: the characters of a queue message in UTF-8
FETCH_SECONDS = 10.0  # for one object

_decode = msgspec.json.Decoder(Parked).decode


class Content(NamedTuple):
    """What a message of a redrive queue holds. The other fields are those of ``Parked``, empty if they are unknown."""

    message: ChangeMessage
    mapper: str = ""
    mappers: str = ""
    change_id: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class RedriveQueue:
    """
    A backlog, its name in the report, and how a body is read. In a parking queue poison stays; a poison dead letter is parked.
    """

    name: str
    backlog: Backlog
    read: Callable[[str], Content]
    is_parking: bool


def parking_queue(backlog: Backlog, claims: Claims | None = None, *, ended: bool = False, room: int = MEMORY) -> RedriveQueue:
    """Return the queue of parked changes. The options are those of ``unparked``."""
    read = partial(unparked, claims=claims, ended=ended, room=room)
    return RedriveQueue(name="parking", backlog=backlog, read=read, is_parking=True)


def dead_letter_queue(backlog: Backlog, room: int = MEMORY) -> RedriveQueue:
    """Return the queue of the tailer's messages that became dead letters. One may need ``room`` bytes of memory."""
    read = partial(read_message, room=room)
    return RedriveQueue(name="dead letters", backlog=backlog, read=lambda body: Content(read(body)), is_parking=False)


def unparked(body: str, claims: Claims | None = None, *, ended: bool = True, room: int = MEMORY) -> Content:
    """
    Return what was parked. What did not fit into the queue is fetched from ``claims``. It may need ``room`` bytes of memory.

    Raises:
        UnreadableMessage: it holds no change that can be read; or it ended the function and ``ended`` is false, because it may
            end this process too.
        Unavailable: the claim cannot be fetched now.
    """
    try:
        item = _decode(body)
        if item.ended and not ended:
            raise UnreadableMessage(f"{item.reason}; {item.remedy}")
        original = bytes(item.message).decode() if item.message != NOTHING else _original(item, claims)
        return Content(read_message(original, room), item.mapper, item.mappers, item.change_id)
    except (msgspec.DecodeError, binascii.Error, zlib.error, UnicodeError, RecursionError) as error:
        raise UnreadableMessage(f"not a parked item: {error}") from error


def _original(item: Parked, claims: Claims | None) -> str:
    """Return the message that was parked as it came."""
    if item.body is not None:
        return item.body
    if item.claim is not None:
        return _claimed(item.claim, claims)
    if item.body_gzip is None:
        raise UnreadableMessage(f"{item.omitted or 'it holds no change'}; parked because: {item.reason}")
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    content = inflater.decompress(base64.b64decode(item.body_gzip.encode(), validate=True), MESSAGE_LIMIT + 1)
    if not inflater.eof or len(content) > MESSAGE_LIMIT:  # it was the body of a queue message
        raise UnreadableMessage(f"cut short, or more than {MESSAGE_LIMIT} bytes once decompressed")
    return content.decode("utf-8", "surrogatepass")


def _claimed(claim: Claim, claims: Claims | None) -> str:
    where = f"it is stored in s3://{claim.bucket}/{claim.key}"
    if claims is None:
        raise UnreadableMessage(f"{where}, and FORWARDER_CLAIM_BUCKET is not set")
    if not 0 < claim.bytes <= CLAIM_LIMIT:
        raise UnreadableMessage(f"{where}, and its claim states {claim.bytes} bytes; at most {CLAIM_LIMIT} are read")
    try:
        content = claims.fetch(claim, lambda: FETCH_SECONDS)
    except Rejected as error:
        raise UnreadableMessage(f"{where}: {error}") from error
    if len(content) != claim.bytes or hashlib.sha256(content).hexdigest() != claim.sha256:
        raise UnreadableMessage(f"{where}, and the object is not what was parked")
    return content.decode("utf-8", "surrogatepass")
