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

NESTING_LIMIT = 250  # levels of objects and arrays in a change: MongoDB's 200, and the tailer's. Python fails at 1,000
COPIES = 4  # of the JSON in addition to the decoded values: an event can contain a document and a patch, and both are stored
WIDE = 3  # bytes of memory for each byte of a text that is not ASCII: two for a character, and its UTF-8
WIDEST = 5  # bytes, if one of its characters is or may be above U+FFFF, such as an emoji: four for a character, and its UTF-8
WIDE_TEXT = 48  # bytes, for each text that is not ASCII, in addition
MOST = 64  # bytes of memory for one byte of JSON; {"":0} needs the most
_COSTS = {b",": 64, b":": 80, b"[": 112, b"[]": -96, b"{": 160, b"{}": -144, b'"': 16}  # bytes, CPython 3.11 to 3.14, measured
_LONGER = {b"e": 64, b"E": 64, b"true": -64, b"false": -64}  # bytes in all copies: 1e15 is encoded as 1000000000000000.0
_OUTERMOST = 64  # bytes of the outermost value, which has no delimiter before it
_CHUNK = 65_536  # bytes that are scanned together

_UP_TO_U_FFFF = bytes(range(0xF0))  # in UTF-8
_backslashes = re.compile(rb"\\*").match
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))


class _Part(NamedTuple):
    """A part of the text: all outside its strings, with a ``"`` for each string, and the contents of the strings."""

    outside: bytes
    strings: list[bytes]
    width: int
    continues: bool  # the last string continues in the next part


def memory(json: bytes) -> int:
    """Upper bound of the bytes that a function needs to decode these changes and to publish or park their events."""
    return decoded(json) + COPIES * len(json)


def fits(json: bytes, room: int) -> bool:
    """Whether ``memory`` is at most ``room`` bytes. A small text is not scanned."""
    return len(json) * (MOST + COPIES) <= room or memory(json) <= room


def decoded(json: bytes) -> int:
    """Upper bound of the bytes of the decoded values, without the copy of the longest text that decoding needs for a moment."""
    total, length = _OUTERMOST, 0
    width = 1
    for part in _parts(json):
        total += len(part.outside) + sum(cost * part.outside.count(sign) for sign, cost in (_COSTS | _LONGER).items())
        strings = part.strings
        if part.width == 1 and len(strings) > 2:  # the others are complete ASCII strings: only their length counts
            total += sum(map(len, strings[1:-1]))
            strings = [strings[0], strings[-1]]
        for number, string in enumerate(strings, 1):
            length += len(string)
            width = max(width, _width(string))
            if number < len(strings) or not part.continues:
                total += length * width + (WIDE_TEXT if width > 1 else 0)
                length, width = 0, 1
    return total + length * WIDEST


def nesting(json: bytes) -> int:
    """The deepest nesting of objects and arrays; an upper bound if it is at most ``NESTING_LIMIT``."""
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
        # replace the escapes that contain a backslash or a quote, so that every remaining quote begins or ends a string
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
    """Cut the text into chunks, never inside an escape."""
    start = 0
    while start < len(json):
        end = start + _CHUNK
        if json[end - 1 : end] == b"\\":
            found = _backslashes(json, end)
            end = found.end() + 1 if found else end
        yield json[start:end]
        start = end
