"""What lies in a backlog, read: parked changes and dead letters become the messages they came from."""

import base64
import binascii
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from contract.change import Change
from contract.message import MESSAGE_LIMIT, ChangeMessage, UnreadableMessage
from lambda_forwarder.parking.parked import NOTHING, Parked, legible
from lambda_forwarder.ports import Backlog, Waiting
from lambda_forwarder.reading import read_message

_decode = msgspec.json.Decoder(Parked).decode


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A backlog, what it is called, and how its messages are read. ``parked``: what is poison still stays where it is."""

    name: str
    backlog: Backlog
    read: Callable[[str], ChangeMessage]
    parked: bool


@dataclass(kw_only=True, eq=False)  # each is itself, and may be a key
class Taken:
    """
    One message that was taken; once it was read, without its body and with the ``weight`` of what it holds. ``why`` it stays,
    with ``document`` and ``sequence`` of the first of its changes that does; nothing while it may go.
    """

    shelf: Shelf
    waiting: Waiting
    weight: int = 0
    why: str = ""
    document: str = ""
    sequence: int = 0

    def stays(self, why: str, change: Change | None = None) -> None:
        """Only the first reason counts."""
        if not self.why:
            self.why = legible(why)
            if change:
                self.document, self.sequence = legible(change.document), change.sequence


def parking_shelf(backlog: Backlog) -> Shelf:
    """Of parked changes, in the form of ``Parked``."""
    return Shelf(name="parking", backlog=backlog, read=unparked, parked=True)


def dead_letter_shelf(backlog: Backlog) -> Shelf:
    """Of messages of the tailer's queue, as they were."""
    return Shelf(name="dead letters", backlog=backlog, read=read_message, parked=False)


def unparked(body: str) -> ChangeMessage:
    """
    The parked change, or what came when it was not ours, as a message of changes.

    Raises:
        UnreadableMessage: there is none in it, or none that we can read.
    """
    try:
        item = _decode(body)
        if item.message != NOTHING:
            return read_message(bytes(item.message).decode())
        return read_message(_came(item))
    except (msgspec.DecodeError, binascii.Error, zlib.error, UnicodeError, RecursionError) as error:
        raise UnreadableMessage(f"not a parked item: {error}") from error


def _came(item: Parked) -> str:
    if item.body is not None:
        return item.body
    if item.body_gzip is None:
        raise UnreadableMessage(f"{item.omitted or 'it holds no change'}; parked because: {item.reason}")
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    came = inflater.decompress(base64.b64decode(item.body_gzip.encode(), validate=True), MESSAGE_LIMIT + 1)
    if not inflater.eof or len(came) > MESSAGE_LIMIT:  # it was the body of a queue's message
        raise UnreadableMessage(f"cut short, or more than {MESSAGE_LIMIT} bytes once decompressed")
    return came.decode("utf-8", "surrogatepass")
