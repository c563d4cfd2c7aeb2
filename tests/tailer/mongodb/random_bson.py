"""Random BSON as a server may store it: every type, and valid documents with a few bytes changed."""

import random
import struct
from collections.abc import Callable, Sequence

_int32 = struct.Struct("<i").pack
DEPTH = 4
NAMES = (b"a", b"", b"a.b", b"$ref", b"$id", b"$db", b"\xff\xfe", b"\xed\xa0\x80", b"\x01", "ü".encode())

PLAIN = tuple(name for name in NAMES if b"$" not in name)  # A server accepts no other names in an _id.


def document(source: random.Random, number: int) -> bytes:
    """Build a document of random elements, also in its ``_id``, which starts with this number."""
    identifier = _framed(b"\x10n\0" + _int32(number) + _element(source, 0, PLAIN))
    return _framed(b"\x03_id\0" + identifier + b"\x10n\0" + _int32(number) + _elements(source, DEPTH))


def mutated(source: random.Random, number: int) -> bytes:
    """Build such a document with up to three bytes changed. A server refuses many of them."""
    raw = bytearray(document(source, number))
    for _ in range(source.randint(1, 3)):
        raw[source.randrange(4, len(raw) - 1)] = source.choice((0, 1, 2, 5, 0x7F, 0x80, 0xFF, source.randrange(256)))
    return bytes(raw)


def _framed(body: bytes) -> bytes:
    return _int32(len(body) + 5) + body + b"\0"


def _elements(source: random.Random, depth: int) -> bytes:
    return b"".join(_element(source, depth) for _ in range(source.randint(0, 6)))


def _element(source: random.Random, depth: int, names: Sequence[bytes] = NAMES) -> bytes:
    kind = source.choice([one for one in _VALUES if depth or one not in _NESTED])
    name = (
        b"a" if kind == _UNDEFINED else source.choice(names)
    )  # Undefined under an empty name decodes as null: decoding.undefined
    return bytes([kind]) + name + b"\0" + _VALUES[kind](source, depth)


def _text(source: random.Random) -> bytes:
    held = source.randbytes(source.randint(0, 8))
    return _int32(len(held) + 1) + held + b"\0"


def _cstring(source: random.Random) -> bytes:
    return source.randbytes(source.randint(0, 8)).replace(b"\0", b"") + b"\0"


def _binary(source: random.Random) -> bytes:
    held = source.choice((source.randbytes(source.randint(0, 20)), source.randbytes(16), _int32(3) + b"abc"))
    return _int32(len(held)) + bytes([source.choice((0, 1, 2, 2, 3, 4, 5, 6, 9, 128))]) + held


def _scoped(source: random.Random, depth: int) -> bytes:
    held = _text(source) + _framed(_elements(source, depth - 1))
    return _int32(len(held) + 4) + held


_NESTED, _UNDEFINED = (0x03, 0x04, 0x0F), 0x06
_VALUES: dict[int, Callable[[random.Random, int], bytes]] = {
    0x01: lambda source, _: source.choice((source.randbytes(8), b"\0" * 8)),
    0x02: lambda source, _: _text(source),
    0x03: lambda source, depth: _framed(_elements(source, depth - 1)),
    0x04: lambda source, depth: _framed(_elements(source, depth - 1)),
    0x05: lambda source, _: _binary(source),
    0x06: lambda _source, _depth: b"",
    0x07: lambda source, _: source.randbytes(12),
    0x08: lambda source, _: source.choice((b"\0", b"\1")),
    0x09: lambda source, _: source.choice((source.randbytes(8), struct.pack("<q", source.randrange(-(2**45), 2**45)))),
    0x0A: lambda _source, _depth: b"",
    0x0B: lambda source, _: _cstring(source) + source.choice((b"i", b"zzx", b"xim", b"", b"\xff")) + b"\0",
    0x0C: lambda source, _: _text(source) + source.randbytes(12),
    0x0D: lambda source, _: _text(source),
    0x0E: lambda source, _: _text(source),
    0x0F: _scoped,
    0x10: lambda source, _: source.randbytes(4),
    0x11: lambda source, _: source.randbytes(8),
    0x12: lambda source, _: source.randbytes(8),
    0x13: lambda source, _: source.randbytes(16),
    0x7F: lambda _source, _depth: b"",
    0xFF: lambda _source, _depth: b"",
}
"""By BSON's types; of each its bytes behind the name."""
