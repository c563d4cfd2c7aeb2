"""
Upper bounds of the memory and the nesting depth that a JSON text needs, computed before it is decoded.

The bounds hold for any text, because a decoder stops at the first error. Computing them takes time in proportion to the text,
and little memory.
"""

import re
from array import array
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

NESTING_LIMIT = (
    250  # objects and arrays within one another in a change: MongoDB nests 200, the rest is ours. Python fails at 1,000
)
COPIES = 4  # of the JSON beside what is decoded: an event tells a document and a patch of it, and both are stored if too large
WIDE = 3  # bytes for one byte of a text that is not ASCII: two for each character, and its UTF-8 beside it
WIDEST = 5  # bytes where one of its characters is above U+FFFF, as an emoji, or may be: four for each, and the UTF-8
WIDE_TEXT = 48  # more bytes that such a text takes
MOST = 64  # bytes of memory that one byte of JSON decodes to at most, as of {"":0}
_COSTS = {b",": 64, b":": 80, b"[": 112, b"[]": -96, b"{": 160, b"{}": -144, b'"': 16}  # bytes, CPython 3.11 to 3.14, measured
_LONGER = {
    b"e": 64,
    b"E": 64,
    b"true": -64,
    b"false": -64,
}  # bytes, in all copies: 1e15 is 1000000000000000.0 once it is encoded
_OUTERMOST = 64  # bytes of a value that no sign stands for
_CHUNK = 65_536  # bytes that are looked at together

_UP_TO_U_FFFF = bytes(range(0xF0))  # in UTF-8
_backslashes = re.compile(rb"\\*").match
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))


class _Part(NamedTuple):
    """A part of the text: everything outside of its strings, with a ``"`` for each string, and the strings' contents."""

    outside: bytes
    strings: list[bytes]
    width: int
    goes_on: bool  # the last string, in the next part


def memory(json: bytes) -> int:
    """Upper bound of the bytes that a function needs to decode these changes and to publish or park their events."""
    return decoded(json) + COPIES * len(json)


def fits(json: bytes, room: int) -> bool:
    """Whether ``memory`` is at most ``room`` bytes. A small text is not scanned."""
    return len(json) * (MOST + COPIES) <= room or memory(json) <= room


def decoded(json: bytes) -> int:
    """Upper bound of the bytes of the decoded values. While decoding, a copy of the longest text is needed in addition."""
    total, length = _OUTERMOST, 0
    width = 1
    for part in _parts(json):
        total += len(part.outside) + sum(cost * part.outside.count(sign) for sign, cost in (_COSTS | _LONGER).items())
        strings = part.strings
        if part.width == 1 and len(strings) > 2:  # of those that begin and end here the length is all that counts
            total += sum(map(len, strings[1:-1]))
            strings = [strings[0], strings[-1]]
        for number, string in enumerate(strings, 1):
            length += len(string)
            width = max(width, _width(string))
            if number < len(strings) or not part.goes_on:
                total += length * width + (WIDE_TEXT if width > 1 else 0)
                length, width = 0, 1
    return total + length * WIDEST


def nesting(json: bytes) -> int:
    """The deepest nesting of objects and arrays, or an upper bound of it."""
    if (openers := json.count(b"[") + json.count(b"{")) <= NESTING_LIMIT:
        return openers
    depth = deepest = 0
    for part in _parts(json):
        steps = array("b", part.outside.translate(_STEPS, _NO_BRACKETS))
        depths = list(accumulate(steps, initial=depth))
        depth, deepest = depths[-1], max(deepest, max(depths))
    return deepest


def _parts(json: bytes) -> Iterator[_Part]:
    inside = False
    for chunk in _chunks(json):
        # each escape becomes as many characters as it may stand for, and none of them a quote
        pieces = chunk.replace(b"\\\\", b"_").replace(b'\\"', b"_").split(b'"')
        first = inside
        inside ^= len(pieces) % 2 == 0
        yield _Part(b'"'.join(pieces[first::2]) + b'"' * inside, pieces[not first :: 2], _width(chunk), inside)


def _width(text: bytes) -> int:
    """Bytes of memory for each byte of a text."""
    if b"\\u" in text or text.translate(None, _UP_TO_U_FFFF):
        return WIDEST
    return 1 if text.isascii() else WIDE


def _chunks(json: bytes) -> Iterator[bytes]:
    """Cut the text into chunks, none of them inside an escape."""
    start = 0
    while start < len(json):
        end = start + _CHUNK
        if json[end - 1 : end] == b"\\":
            found = _backslashes(json, end)
            end = found.end() + 1 if found else end
        yield json[start:end]
        start = end
