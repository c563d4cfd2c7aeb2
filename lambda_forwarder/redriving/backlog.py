"""What lies in a backlog, read: parked changes and dead letters become the messages they came from."""

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
from lambda_forwarder.model.parked import NOTHING, Parked, legible
from lambda_forwarder.ports import Backlog, Claims, Waiting
from tailrace.message import ChangeMessage
from tailrace.wire.change import Claim
from tailrace.wire.message import MEMORY, MESSAGE_LIMIT, UnreadableMessage

CLAIM_LIMIT = 3 * MESSAGE_LIMIT  # bytes: what came in a message, its characters in UTF-8
FETCH_SECONDS = 10.0  # for one object

_decode = msgspec.json.Decoder(Parked).decode


class Kept(NamedTuple):
    """
    What a message of a backlog holds, and by which mapper of which table it was parked, as far as it says so. ``change_id`` of
    the change, where one was parked, and not a message as it came.
    """

    message: ChangeMessage
    mapper: str = ""
    mappers: str = ""
    change_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A backlog, what it is called, and how its messages are read. ``parked``: what is poison still stays where it is."""

    name: str
    backlog: Backlog
    read: Callable[[str], Kept]
    parked: bool


@dataclass(kw_only=True, eq=False)  # each is itself, and may be a key
class Taken:
    """
    One message that was taken; once it was read, without its body and with the ``weight`` of what it holds. ``stranger`` is
    why the mappers here are not to judge it, ``elsewhere`` why it is no answer that they tell no event; ``why`` is why it
    stays, ``unpublished`` why it may go although something of it is not on the bus. Each is empty where that is not so.
    ``document`` and ``sequence`` are of the change that it is about. ``events`` of the message were accepted.
    """

    shelf: Shelf
    waiting: Waiting
    weight: int = 0
    stranger: str = ""
    elsewhere: str = ""
    events: int = 0
    why: str = ""
    unpublished: str = ""
    document: str = ""
    sequence: int = 0

    def stays(self, why: str, document: str = "", sequence: int = 0) -> None:
        """Only the first reason counts."""
        if not self.why:
            self.why, self.document, self.sequence = legible(why), legible(document), sequence

    def goes_without(self, why: str, document: str = "", sequence: int = 0) -> None:
        """It is removed without an event of this change, unless it stays. Only the first reason counts."""
        if not self.unpublished:
            self.unpublished = legible(why)
            if not self.why:
                self.document, self.sequence = legible(document), sequence


def parking_shelf(backlog: Backlog, claims: Claims | None = None, *, ended: bool = False, room: int = MEMORY) -> Shelf:
    """
    Of parked changes, in the form of ``Parked``; what did not fit is fetched from ``claims``. Those that ended the function are
    left alone without ``ended``: they may do it again. One may take so much memory: ``room``, in bytes.
    """
    read = partial(unparked, claims=claims, ended=ended, room=room)
    return Shelf(name="parking", backlog=backlog, read=read, parked=True)


def dead_letter_shelf(backlog: Backlog, room: int = MEMORY) -> Shelf:
    """Of messages of the tailer's queue, as they were. One may take so much memory: ``room``, in bytes."""
    return Shelf(name="dead letters", backlog=backlog, read=lambda body: Kept(read_message(body, room)), parked=False)


def unparked(body: str, claims: Claims | None = None, *, ended: bool = True, room: int = MEMORY) -> Kept:
    """
    The parked change, or what came when it was not ours, as a message of changes; with the names of its mappers.

    Raises:
        UnreadableMessage: there is none in it, or none that we can read, or, without ``ended``, none that we dare to.
        Unavailable: what it claims cannot be fetched now.
    """
    try:
        item = _decode(body)
        if item.ended and not ended:
            raise UnreadableMessage(f"{item.reason}; {item.remedy}")
        came = bytes(item.message).decode() if item.message != NOTHING else _came(item, claims)
        return Kept(read_message(came, room), item.mapper, item.mappers, item.change_id)
    except (msgspec.DecodeError, binascii.Error, zlib.error, UnicodeError, RecursionError) as error:
        raise UnreadableMessage(f"not a parked item: {error}") from error


def _came(item: Parked, claims: Claims | None) -> str:
    if item.body is not None:
        return item.body
    if item.claim is not None:
        return _claimed(item.claim, claims)
    if item.body_gzip is None:
        raise UnreadableMessage(f"{item.omitted or 'it holds no change'}; parked because: {item.reason}")
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    came = inflater.decompress(base64.b64decode(item.body_gzip.encode(), validate=True), MESSAGE_LIMIT + 1)
    if not inflater.eof or len(came) > MESSAGE_LIMIT:  # it was the body of a queue's message
        raise UnreadableMessage(f"cut short, or more than {MESSAGE_LIMIT} bytes once decompressed")
    return came.decode("utf-8", "surrogatepass")


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
