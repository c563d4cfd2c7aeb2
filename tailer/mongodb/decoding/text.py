"""
Text that Python or pymongo takes too long to make, while every other change waits.

Text that is not UTF-8 is decoded as by Python's ``backslashreplace``: each byte of an invalid character becomes ``\\xNN``.
Python takes a microsecond for each such byte, 16 s for a document of them; this takes a fifth of that. The text of a Decimal128
takes a tenth of the time; a document of 16 MB may have 700,000 of them.
"""

import codecs
from decimal import Decimal

from bson.decimal128 import Decimal128

ESCAPED = "tailrace-escaped"
"""The name of the error handler, for ``decode`` and for pymongo."""

_ESCAPES = {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)}  # by the character of ``surrogateescape``
_PIECE = 65_536  # bytes at a time: between two pieces other threads run, for example the one that renews the lease
_CONTINUATION_LIMIT = 3  # bytes of a character after its first
_DIGITS = 34  # of a Decimal128's coefficient
_BIAS = 6_176  # of its exponent
_COEFFICIENT = (1 << 113) - 1
_EXPONENT = 0x3FFF


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Decode a piece of the text from its first invalid byte on. It ends between two characters, or within an invalid one."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    text, end = error.object, error.start + _PIECE
    for _ in range(_CONTINUATION_LIMIT):
        if not b"\x80" <= text[end : end + 1] <= b"\xbf":  # no continuation byte
            break
        end += 1
    piece = text[error.start : end]
    return piece.decode("utf-8", "surrogateescape").translate(_ESCAPES), error.start + len(piece)


codecs.register_error(ESCAPED, _escaped)


def decimal_text(value: Decimal128) -> str:
    """The text. pymongo writes NaN, infinities and every other form of the bits."""
    bits = int.from_bytes(value.bid, "little")
    coefficient = bits & _COEFFICIENT
    if bits >> 125 & 3 == 3 or coefficient >= 10**_DIGITS:
        return str(value)
    return str(Decimal(f"{'-' if bits >> 127 else ''}{coefficient}E{(bits >> 113 & _EXPONENT) - _BIAS}"))
