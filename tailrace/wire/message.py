"""The body of an SQS message: consecutive changes of one lane, in order."""

import base64
import hashlib
import zlib
from collections.abc import Sequence
from typing import Generic, Literal

import msgspec
from msgspec import Raw, Struct

from tailrace.wire.change import Change
from tailrace.wire.reading import CHANGES_LIMIT as CHANGES_LIMIT
from tailrace.wire.reading import MEMORY as MEMORY
from tailrace.wire.reading import C, read_changes, unreadable
from tailrace.wire.reading import UnreadableMessage as UnreadableMessage

VERSION = 1
MESSAGE_LIMIT = 1_048_576  # bytes, SQS, one message and the sum of a batch
DECODED_LIMIT = 67_108_864  # bytes of JSON after decompression; bounds the reader's memory
VALUES_LIMIT = 1_000_000  # values in that JSON: an empty list has 3 bytes, and 60 bytes of memory after decoding
GZIP_FROM = 8_192  # bytes of JSON; smaller messages are not compressed, so that people can read them
_PIECE = 1_048_576  # bytes that are compressed at once
_GZIP_LEVEL = 1  # the fastest: 1.6 µs per kB, and JSON of one collection still shrinks about tenfold


class ChangeMessage(Struct, Generic[C], frozen=True, kw_only=True):
    """A decoded message: changes of one lane of one stream, in order."""

    stream: str
    generation: int
    lane: int
    changes: tuple[C, ...]


class TooLarge(ValueError):
    """The changes do not fit into one message, even compressed."""


class _Envelope(Struct, frozen=True, kw_only=True):
    version: int
    stream: str
    generation: int
    lane: int
    encoding: Literal["identity", "gzip"]
    changes: Raw


class _Version(Struct):
    version: int


_encode = msgspec.json.Encoder().encode
_decode_version = msgspec.json.Decoder(_Version).decode
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_text = msgspec.json.Decoder(str).decode


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
    if _too_many_values(array):
        raise TooLarge(f"more than {VALUES_LIMIT} values in a message")
    encoding: Literal["identity", "gzip"] = "identity"
    if len(array) >= GZIP_FROM:
        encoding = "gzip"
        array = _encode(base64.b64encode(_gzip(array)).decode())
    envelope = _Envelope(
        version=VERSION, stream=stream, generation=generation, lane=lane, encoding=encoding, changes=Raw(array)
    )
    body = _xml_safe(_encode(envelope))
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


def unpack(body: str, kind: type[C], room: int = MEMORY) -> ChangeMessage[C]:
    """
    Read a message of any version up to ``VERSION``, and each change as a ``kind``. Unknown fields are ignored. ``room`` is the
    memory in bytes that the changes may use. The body may come from any sender.

    Raises:
        UnreadableMessage: the body is not a message, has a newer version, or exceeds ``DECODED_LIMIT``, ``VALUES_LIMIT`` or a
            limit of ``tailrace.wire.reading``.
    """
    with unreadable("a change message"):
        return _read(body, kind, room)


def group_id(stream: str, lane: int) -> str:
    """The ``MessageGroupId``. SQS keeps the order in a group, and Lambda processes one batch of a group at a time."""
    return f"{stream}.{lane}"


def deduplication_id(*, stream: str, generation: int, lane: int, ids: Sequence[str]) -> str:
    """The ``MessageDeduplicationId``: the same for the same changes in the same generation."""
    digest = hashlib.blake2b(f"{stream}\n{generation}\n{lane}".encode(), digest_size=32)
    for change_id in ids:
        digest.update(b"\n" + change_id.encode())
    return digest.hexdigest()


def _xml_safe(body: bytes) -> bytes:
    """Escape the two characters that JSON allows and SQS (XML 1.0) does not."""
    if b"\xef\xbf\xbe" in body or b"\xef\xbf\xbf" in body:
        return body.replace(b"\xef\xbf\xbe", b"\\ufffe").replace(b"\xef\xbf\xbf", b"\\uffff")
    return body


def _read(body: str, kind: type[C], room: int) -> ChangeMessage[C]:
    version = _decode_version(body).version
    if version > VERSION:
        raise UnreadableMessage(f"version {version} is newer than this reader ({VERSION}): deploy the reader first")
    if version < 1:
        raise UnreadableMessage(f"version {version} does not exist: the first version is 1")
    envelope = _decode_envelope(body)
    array = bytes(envelope.changes)
    if envelope.encoding == "gzip":
        array = _gunzip(base64.b64decode(_decode_text(array), validate=True))
    return ChangeMessage(
        stream=envelope.stream,
        generation=envelope.generation,
        lane=envelope.lane,
        changes=read_changes(array, kind, room),
    )


def _gunzip(packed: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    array = inflater.decompress(packed, DECODED_LIMIT + 1)
    if len(array) > DECODED_LIMIT or not inflater.eof:
        raise UnreadableMessage(f"incomplete, or more than {DECODED_LIMIT} bytes after decompression")
    if _too_many_values(array):
        raise UnreadableMessage(f"more than {VALUES_LIMIT} values after decompression")
    return array


def _too_many_values(array: bytes) -> bool:
    """Upper bound: delimiters inside strings are counted too."""
    return len(array) > VALUES_LIMIT and sum(map(array.count, (b",", b"[", b"{"))) > VALUES_LIMIT
