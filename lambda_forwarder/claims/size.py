"""How much memory the JSON of a claimed change takes once it is decoded, told before it is."""

import re

SIZE_LIMIT = 300_000_000  # bytes; with the JSON beside it and Python around it, a function of 512 MB holds it
_SIZES = {b"{": 128, b"[": 96, b":": 64, b",": 56}  # bytes for what each stands for, in CPython, as measured
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # closed or not, it ends where it ends: no byte is seen twice
_SHORT = 64  # bytes of a text in which a few signs do not matter


def fits(json: bytes) -> bool:
    """Whether it stays within ``SIZE_LIMIT``."""
    return _at_most(json) <= SIZE_LIMIT or decoded_size(json) <= SIZE_LIMIT


def decoded_size(json: bytes) -> int:
    """About so many bytes. What only looks like JSON inside of a long text does not count: most documents have some."""
    texts = (json[found.start() : found.end()] for found in _TEXT.finditer(json) if found.end() - found.start() > _SHORT)
    return _at_most(json) - sum(map(_signs, texts))


def _at_most(json: bytes) -> int:
    return len(json) + _signs(json)


def _signs(json: bytes) -> int:
    return sum(size * json.count(sign) for sign, size in _SIZES.items())
