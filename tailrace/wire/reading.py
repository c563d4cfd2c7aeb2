"""Decodes changes. The memory that they need is bounded before they are decoded, because any sender can write to the queue."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import msgspec
from msgspec import Raw

from tailrace.wire.bounds import NESTING_LIMIT, fits, nesting
from tailrace.wire.change import Change

CHANGES_LIMIT = 500  # changes in a message: the forwarder maps and publishes them well within a Lambda timeout
MEMORY = 402 * 1_048_576  # bytes for the contents of a message or a claim, in a function of 512 MB

C = TypeVar("C", bound=Change)
"""The type that each change is decoded to."""


class UnreadableMessage(ValueError):
    """The text is not a message that this version can read. A retry does not help."""


@contextmanager
def unreadable(kind: str) -> Iterator[None]:
    """Raise ``UnreadableMessage`` if the text in this block is no ``kind``."""
    try:
        yield
    except UnreadableMessage:
        raise
    except RecursionError as error:
        raise UnreadableMessage(f"not {kind}: it is nested too deeply") from error
    except (ValueError, zlib.error) as error:  # JSON, base64 and UTF-8 each have a ValueError of their own
        raise UnreadableMessage(f"not {kind}: {error}") from error


_decode_array = msgspec.json.Decoder(list[Raw]).decode
_decoder = cache(msgspec.json.Decoder)


def read_changes(array: bytes, kind: type[C], room: int) -> tuple[C, ...]:
    """
    Decode the changes of a message, each as a ``kind``. ``room`` is the memory in bytes that they may use.

    Raises:
        UnreadableMessage: there are too many changes, one is nested too deeply, or they need more memory than ``room``.
        ValueError, RecursionError: the array is not JSON, or an element is not a change.
    """
    _check_room(array, room)
    parts = _decode_array(array)
    if len(parts) > CHANGES_LIMIT:
        raise UnreadableMessage(f"{len(parts)} changes in a message; the limit is {CHANGES_LIMIT}")
    return tuple(_change(bytes(part), kind) for part in parts)


def read_change(json: bytes, kind: type[C], room: int = MEMORY) -> C:
    """
    Decode a change that is stored by itself. ``kind`` and ``room`` as for ``read_changes``.

    Raises:
        UnreadableMessage: it is not a change, it is nested too deeply, or it needs more memory than ``room``.
    """
    _check_room(json, room)
    with unreadable("a change"):
        return _change(json, kind)


def _change(json: bytes, kind: type[C]) -> C:
    if (depth := nesting(json)) > NESTING_LIMIT:
        raise UnreadableMessage(f"a change is nested {depth} deep; the limit is {NESTING_LIMIT}")
    change: C = _decoder(kind).decode(json)
    return change


def _check_room(json: bytes, room: int) -> None:
    if not fits(json, room):
        raise UnreadableMessage(
            f"{len(json)} bytes of JSON may need more than the {room // 1_048_576} MiB of memory that are available: give the "
            "function more memory ([forwarder] memory)"
        )
