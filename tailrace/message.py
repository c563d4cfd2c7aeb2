"""
Reads the body of an SQS message: changes with the methods of ``tailrace.Change``.

Any sender can write to the queue, so the memory that the changes need is bounded before they are decoded.
"""

import base64
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from msgspec import Raw, Struct

from tailrace.change import Change
from tailrace.wire.bounds import NESTING_LIMIT, fits, nesting
from tailrace.wire.message import (
    CHANGES_LIMIT,
    DECODED_LIMIT,
    MEMORY,
    VALUES_LIMIT,
    VERSION,
    Envelope,
    UnreadableMessage,
    has_too_many_values,
)


class ChangeMessage(Struct, frozen=True, kw_only=True):
    """A decoded message: changes of one lane of one stream, in order."""

    stream: str
    generation: int
    lane: int
    changes: tuple[Change, ...]


class _Version(Struct):
    version: int


_decode_version = msgspec.json.Decoder(_Version).decode
_decode_envelope = msgspec.json.Decoder(Envelope).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_array = msgspec.json.Decoder(list[Raw]).decode
_decode_change = msgspec.json.Decoder(Change).decode


def unpack(body: str, room: int = MEMORY) -> ChangeMessage:
    """
    Read a message of any version up to ``VERSION``. Unknown fields are ignored. The changes may use ``room`` bytes of memory.

    Raises:
        UnreadableMessage: the body is not a message, has a newer version, exceeds ``DECODED_LIMIT``, ``VALUES_LIMIT`` or
            ``CHANGES_LIMIT``, has a change that is nested too deeply, or needs more memory than ``room``.
    """
    with _unreadable("a change message"):
        return _read(body, room)


def read_change(json: bytes, room: int = MEMORY) -> Change:
    """
    Decode a change that is stored by itself. ``room`` as for ``unpack``.

    Raises:
        UnreadableMessage: it is not a change, it is nested too deeply, or it needs more memory than ``room``.
    """
    _check_room(json, room)
    with _unreadable("a change"):
        return _change(json)


def _read(body: str, room: int) -> ChangeMessage:
    version = _decode_version(body).version
    if version > VERSION:
        raise UnreadableMessage(f"version {version} is newer than this reader ({VERSION}): deploy the reader first")
    if version < 1:
        raise UnreadableMessage(f"version {version} does not exist: the first version is 1")
    envelope = _decode_envelope(body)
    array = bytes(envelope.changes)
    if envelope.encoding == "gzip":
        array = _gunzip(base64.b64decode(_decode_text(array), validate=True))
    _check_room(array, room)
    parts = _decode_array(array)
    if len(parts) > CHANGES_LIMIT:
        raise UnreadableMessage(f"{len(parts)} changes in a message; the limit is {CHANGES_LIMIT}")
    changes = tuple(_change(bytes(part)) for part in parts)
    return ChangeMessage(stream=envelope.stream, generation=envelope.generation, lane=envelope.lane, changes=changes)


def _gunzip(packed: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    array = inflater.decompress(packed, DECODED_LIMIT + 1)
    if len(array) > DECODED_LIMIT or not inflater.eof:
        raise UnreadableMessage(f"incomplete, or more than {DECODED_LIMIT} bytes after decompression")
    if has_too_many_values(array):
        raise UnreadableMessage(f"more than {VALUES_LIMIT} values after decompression")
    return array


def _change(json: bytes) -> Change:
    if (depth := nesting(json)) > NESTING_LIMIT:
        raise UnreadableMessage(f"a change is nested {depth} deep; the limit is {NESTING_LIMIT}")
    return _decode_change(json)


def _check_room(json: bytes, room: int) -> None:
    if not fits(json, room):
        raise UnreadableMessage(
            f"{len(json)} bytes of JSON may need more than the {room // 1_048_576} MiB of memory that are available: give the "
            "function more memory ([forwarder] memory)"
        )


@contextmanager
def _unreadable(kind: str) -> Iterator[None]:
    """Raise ``UnreadableMessage`` if the text in this block is no ``kind``."""
    try:
        yield
    except UnreadableMessage:
        raise
    except RecursionError as error:
        raise UnreadableMessage(f"not {kind}: it is nested too deeply") from error
    except (ValueError, zlib.error) as error:  # JSON, base64 and UTF-8 each have a ValueError of their own
        raise UnreadableMessage(f"not {kind}: {error}") from error
