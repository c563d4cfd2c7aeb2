"""BSON byte by byte, also BSON that no driver writes but the server accepts."""

from functools import cache

LARGEST = 16_777_216  # bytes, MongoDB's limit for a document

DOUBLE, TEXT, DOCUMENT, ARRAY, BINARY, UNDEFINED, OBJECT_ID, BOOL = range(0x01, 0x09)
DATE, NULL, REGEX, POINTER, CODE, SYMBOL, SCOPED, INT32, TIMESTAMP, INT64, DECIMAL = range(0x09, 0x14)
MIN_KEY, MAX_KEY = 0xFF, 0x7F


def document(*elements: bytes) -> bytes:
    inner = b"".join(elements)
    return number(len(inner) + 5) + inner + b"\0"


def element(kind: int, name: bytes, value: bytes = b"") -> bytes:
    return bytes([kind]) + name + b"\0" + value


def number(value: int, size: int = 4) -> bytes:
    """Return an integer as BSON encodes it."""
    return value.to_bytes(size, "little", signed=value < 0)


def text(value: bytes) -> bytes:
    """Return the value of a string from any bytes."""
    return number(len(value) + 1) + value + b"\0"


def binary(subtype: int, value: bytes) -> bytes:
    return number(len(value)) + bytes([subtype]) + value


def scoped(code: bytes, scope: bytes) -> bytes:
    return number(len(text(code)) + len(scope) + 4) + text(code) + scope


def array(kind: int, value: bytes, size: int) -> bytes:
    """Return an array with as many of this value as fit into this many bytes."""
    low, high = 0, size // (len(value) + 3)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _bytes(middle, len(value)) <= size else (low, middle - 1)
    tag = bytes([kind])
    inner = tag + (value + tag).join(_names()[:low]) + value if low else b""
    return number(len(inner) + 5) + inner + b"\0"


def nested(kind: int, depth: int, inmost: bytes) -> bytes:
    """Return nested documents or nested arrays."""
    name = b"0" if kind == ARRAY else b"a"
    value = inmost
    for _ in range(depth):
        value = document(element(kind, name, value))
    return value


def _bytes(count: int, each: int) -> int:
    """Return the size of an array with ``count`` elements of ``each`` bytes."""
    digits = count + sum(max(0, count - tenth) for tenth in (10, 100, 1_000, 10_000, 100_000, 1_000_000))
    return 5 + count * (each + 2) + digits


@cache
def _names() -> list[bytes]:
    return [b"%d\0" % index for index in range(2_200_000)]
