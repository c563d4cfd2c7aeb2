"""The body of an SQS message: consecutive changes of one lane, in order."""

import base64
import hashlib
import zlib
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from tailrace.wire.change import Change

VERSION = 1
MESSAGE_LIMIT = 1_048_576  # bytes, SQS, one message and the sum of a batch
DECODED_LIMIT = 67_108_864  # bytes of JSON after decompression; bounds the reader's memory
VALUES_LIMIT = 1_000_000  # values in that JSON: an empty list has 3 bytes, and 60 bytes of memory after decoding
CHANGES_LIMIT = 500  # changes in a message: the forwarder maps and publishes them well within a Lambda timeout
MEMORY = 402 * 1_048_576  # bytes for the contents of a message or a claim, in a function of 512 MB
GZIP_FROM = 8_192  # bytes of JSON; smaller messages are not compressed, so that people can read them
_PIECE = 1_048_576  # bytes that are compressed at once
_GZIP_LEVEL = 1  # the fastest: 1.6 µs per kB, and JSON of one collection still shrinks about tenfold


class TooLarge(ValueError):
    """The changes do not fit into one message, even compressed."""


class UnreadableMessage(ValueError):
    """The text is not a message that this version can read. A retry does not help."""


class Envelope(Struct, frozen=True, kw_only=True):
    """A message as JSON. ``changes`` is an array, or the gzip of an array in base64."""

    version: int
    stream: str
    generation: int
    lane: int
    encoding: Literal["identity", "gzip"]
    changes: Raw


_encode = msgspec.json.Encoder().encode


def encode_change(change: Change) -> bytes:
    """Encode one change as JSON. Its length is its size in a message before compression."""
    return _encode(change)


def pack(*, stream: str, generation: int, lane: int, changes: Sequence[bytes]) -> str:
    """
    Return the message body for encoded changes of one lane, in order. From ``GZIP_FROM`` bytes it is compressed.

    Raises:
        TooLarge: the changes do not fit into one SQS message.
    """
    if len(changes) > CHANGES_LIMIT:
        raise TooLarge(f"{len(changes)} changes in a message; the limit is {CHANGES_LIMIT}")
    if (size := sum(map(len, changes)) + len(changes) + 1) > DECODED_LIMIT:
        raise TooLarge(f"{size} bytes of JSON in a message; the limit is {DECODED_LIMIT}")
    array = b"[%b]" % b",".join(changes)
    if has_too_many_values(array):
        raise TooLarge(f"more than {VALUES_LIMIT} values in a message")
    encoding: Literal["identity", "gzip"] = "identity"
    if len(array) >= GZIP_FROM:
        encoding = "gzip"
        array = _encode(base64.b64encode(_gzip(array)).decode())
    envelope = Envelope(version=VERSION, stream=stream, generation=generation, lane=lane, encoding=encoding, changes=Raw(array))
    body = _encode(envelope)
    body = body.replace(b"\xef\xbf\xbe", b"\\ufffe").replace(b"\xef\xbf\xbf", b"\\uffff")  # legal in JSON, not in SQS (XML 1.0)
    if len(body) > MESSAGE_LIMIT:
        raise TooLarge(f"{len(body)} bytes in a message; the limit is {MESSAGE_LIMIT}")
    return body.decode()


def _gzip(array: bytes) -> bytes:
    """Compress in pieces: a message that does not fit fails early, before it uses much time and memory."""
    packed, begin = bytearray(), 0
    deflater = zlib.compressobj(_GZIP_LEVEL, wbits=zlib.MAX_WBITS | 16)
    while begin < len(array):
        packed += deflater.compress(memoryview(array)[begin : begin + _PIECE])
        begin += _PIECE
        if len(packed) > MESSAGE_LIMIT:
            raise TooLarge(f"more than {MESSAGE_LIMIT} bytes in a message after compression; that is the limit")
    return bytes(packed + deflater.flush())


def group_id(stream: str, lane: int) -> str:
    """The ``MessageGroupId``. SQS keeps the order in a group, and Lambda processes one batch of a group at a time."""
    return f"{stream}.{lane}"


def deduplication_id(*, stream: str, generation: int, lane: int, ids: Sequence[str]) -> str:
    """The ``MessageDeduplicationId``: the same for the same changes in the same generation."""
    digest = hashlib.blake2b(f"{stream}\n{generation}\n{lane}".encode(), digest_size=32)
    for change_id in ids:
        digest.update(b"\n" + change_id.encode())
    return digest.hexdigest()


def has_too_many_values(array: bytes) -> bool:
    """Upper bound: delimiters inside strings are counted too."""
    return len(array) > VALUES_LIMIT and sum(map(array.count, (b",", b"[", b"{"))) > VALUES_LIMIT
