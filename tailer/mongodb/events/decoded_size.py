"""
Computes from the BSON of an event how much memory the event takes when it is decoded, and encoded as JSON.

The result is an upper bound for every BSON type and any text. The constants are CPython's; a test measures them.
"""

import codecs
import sys
from dataclasses import dataclass

import msgspec

from tailer.mongodb.decoding.text import ESCAPED

WORST = 110  # times its BSON: no event takes more; many small regular expressions take almost as much
_COPIES = 2  # of the JSON: it may be copied while it grows
_SMALL_DICT = {0: 64, **dict.fromkeys(range(1, 6), 184), **dict.fromkeys(range(6, 11), 272)}  # bytes of a dict, by its fields
_FIELD = 80  # bytes for each field of a larger dict that has just grown
_LIST, _SLOT = 80, 9
_BRACKETS = _COPIES * 3  # bytes: a document or an array in JSON
_TEXT = 72  # bytes: a str in memory and in JSON, without its characters
_PIECE = 65_536  # bytes of text at a time
_PLAIN = bytes(set(range(0x20, 0x7F)) - set(b'"\\'))  # characters of one byte, in a str and in JSON
_EXTENDED = 480 + _COPIES * 70  # bytes: a value as Extended JSON, two dicts and in JSON the names of their fields

_FIXED = {  # BSON type → bytes of BSON, bytes of memory
    0x01: (8, 24 + _COPIES * 26),
    0x06: (0, _COPIES * 20),  # one object for all, as for MinKey and MaxKey
    0x07: (12, 80 + _COPIES * 27),
    0x08: (1, _COPIES * 6),
    0x0A: (0, _COPIES * 5),
    0x10: (4, 32 + _COPIES * 12),
    0x11: (8, _EXTENDED),
    0x12: (8, 40 + _COPIES * 21),
    0x13: (16, 120 + _COPIES * 46),
    0x7F: (0, _COPIES * 15),
    0xFF: (0, _COPIES * 15),
}
_DATE = 80 + _COPIES * 27
_DATES = range(-62_135_596_800_000, 253_402_300_800_000)  # milliseconds since 1970: the years 1 to 9999
_DOCUMENTS, _ARRAY = (0x03, 0x04), 0x04
_BINARY, _DATE_TYPE, _REGEX, _POINTER, _CODE, _SCOPED = 0x05, 0x09, 0x0B, 0x0C, 0x0D, 0x0F
_REFERENCE = b"$ref"  # a field of a DBRef: pymongo converts the document to a DBRef, and a decoder converts it back
_LARGE = 4_096  # bytes; smaller conversions are not counted
_OLD_BINARIES = b"\2\3"


def decoded_size(event: bytes | memoryview) -> int:
    """An upper bound in bytes. What is not BSON raises IndexError, KeyError or ValueError."""
    raw = bytes(event)
    at, size, level = 4, len(raw), _Level(in_list=False)
    outer: list[_Level] = []
    while True:
        if not (kind := raw[at]):
            at += 1
            size += level.closed(size)
            if not outer:
                return size
            level = outer.pop()
            continue
        value = raw.index(0, at + 1) + 1
        level.count += 1
        if level.in_list:
            size += _SLOT
        else:
            size += _text(raw, at + 1, value - 1)
            level.reference = level.reference or raw[at + 1 : value - 1] == _REFERENCE
        if fixed := _FIXED.get(kind):
            at = value + fixed[0]
            size += fixed[1]
            continue
        at, more = (value + 4, _BRACKETS) if kind in _DOCUMENTS else _counted(raw, kind, value)
        size += more
        if kind in _DOCUMENTS or kind == _SCOPED:
            outer.append(level)
            level = _Level(in_list=kind == _ARRAY, began=size)


@dataclass(slots=True)
class _Level:
    """A document or an array that the walk is in: the number of its elements, and the total before the first of them."""

    in_list: bool
    began: int = 0
    count: int = 0
    reference: bool = False

    def closed(self, size: int) -> int:
        """The bytes that it takes itself; for a large DBRef also those of the conversion."""
        if self.in_list:
            return _LIST
        again = 2 * (size - self.began) if self.reference and size - self.began > _LARGE else 0
        return _SMALL_DICT.get(self.count, _FIELD * self.count) + again


def _counted(raw: bytes, kind: int, at: int) -> tuple[int, int]:
    """The end of a value of variable length, and its bytes of memory. Code with a scope ends where the scope's fields begin."""
    if kind == _DATE_TYPE:
        when = int.from_bytes(raw[at : at + 8], "little", signed=True)
        return at + 8, _DATE if when in _DATES else _EXTENDED
    if kind == _REGEX:
        pattern = raw.index(0, at)
        end = raw.index(0, pattern + 1)
        return end + 1, _EXTENDED + _text(raw, at, pattern) + _text(raw, pattern + 1, end)
    if kind == _BINARY:
        end = at + 5 + _length(raw, at)
        taken = _TEXT + 7 * (end - at - 5)  # the bytes, three times the base64, and its copies in JSON
        return end, taken + _EXTENDED if raw[at + 4] in _OLD_BINARIES else taken
    if kind == _SCOPED:
        end, text = _counted(raw, _CODE, at + 4)
        return end + 4, text
    end = at + 4 + _length(raw, at)
    text = _text(raw, at + 4, end - 1)
    if kind == _POINTER:
        return end + 12, _EXTENDED + _TEXT + text
    return end, text + _EXTENDED if kind == _CODE else text


def _length(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 4], "little")


def _text(raw: bytes, begin: int, end: int) -> int:
    """Bytes of memory for these characters as a str and as JSON."""
    if end - begin <= _PIECE and not raw[begin:end].translate(None, _PLAIN):
        return _TEXT + (1 + _COPIES) * (end - begin)
    decoder = codecs.getincrementaldecoder("utf-8")(ESCAPED)
    characters = width = encoded = 0
    for at in range(begin, end, _PIECE):
        part = decoder.decode(raw[at : min(at + _PIECE, end)], final=at + _PIECE >= end)
        characters += len(part)
        width = max(width, 1 if part.isascii() else min(sys.getsizeof(part) // max(len(part), 1), 4))
        encoded += len(msgspec.json.encode(part))
    if width > 1:  # it grows while it is decoded, and keeps its UTF-8 after it was encoded
        return _TEXT + characters * (2 * width + 1) + (1 + _COPIES) * encoded
    return _TEXT + characters + _COPIES * encoded
