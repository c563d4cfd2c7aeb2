"""What lies in a backlog, read: parked changes and dead letters become the messages they came from."""

import base64
import binascii
import gzip
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from contract.change import Change
from contract.message import ChangeMessage, UnreadableMessage, unpack
from lambda_forwarder.parking.parked import NOTHING, Parked
from lambda_forwarder.ports import Backlog, Waiting
from lambda_forwarder.watermarks.watermark import check_counts

_decode = msgspec.json.Decoder(Parked).decode


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A backlog, what it is called, and how its messages are read. ``parked``: what is poison still stays where it is."""

    name: str
    backlog: Backlog
    read: Callable[[str], ChangeMessage]
    parked: bool


@dataclass(kw_only=True)
class Taken:
    """One message that was taken. ``why`` it stays, with ``first`` of its changes; nothing while it may go."""

    shelf: Shelf
    waiting: Waiting
    why: str = ""
    first: Change | None = None
    removed: bool = False


def parking_shelf(backlog: Backlog) -> Shelf:
    """Of parked changes, in the form of ``Parked``."""
    return Shelf(name="parking", backlog=backlog, read=unparked, parked=True)


def dead_letter_shelf(backlog: Backlog) -> Shelf:
    """Of messages of the tailer's queue, as they were."""
    return Shelf(name="dead letters", backlog=backlog, read=dead_letter, parked=False)


def dead_letter(body: str) -> ChangeMessage:
    """
    The message of changes.

    Raises:
        UnreadableMessage: it is none.
    """
    message = unpack(body)
    check_counts(message)
    return message


def unparked(body: str) -> ChangeMessage:
    """
    The parked change, or what came when it was not ours, as a message of changes.

    Raises:
        UnreadableMessage: there is none in it, or none that we can read.
    """
    try:
        item = _decode(body)
        if item.message != NOTHING:
            return dead_letter(bytes(item.message).decode())
        return dead_letter(_came(item))
    except (msgspec.DecodeError, UnicodeError, binascii.Error, OSError, EOFError, RecursionError) as error:
        raise UnreadableMessage(f"not a parked item: {error}") from error


def _came(item: Parked) -> str:
    if item.body is not None:
        return item.body
    if item.body_gzip is None:
        raise UnreadableMessage(f"{item.omitted or 'it holds no change'}; parked because: {item.reason}")
    return gzip.decompress(base64.b64decode(item.body_gzip)).decode("utf-8", "surrogatepass")
