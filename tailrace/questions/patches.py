"""JSON Patches (RFC 6902) from one document to another, as far as they are worth their cost."""

from typing import Any

from tailrace.wire.change import Document

Patch = list[dict[str, Any]]
"""A JSON Patch (RFC 6902)."""

WORK_LIMIT = 50_000  # of two documents: a few seconds of a small function
_TEXT = 64  # characters that are as much work as a value


def replacement(document: Document | None) -> Patch:
    """The patch that puts this in the place of whatever was there."""
    return [{"op": "replace", "path": "", "value": document}]


def patch(before: Document, after: Document) -> Patch:
    """
    What differs, each on its own path. Of documents of more than ``WORK_LIMIT``, one replacement of the whole: each value is
    compared once for every object and array around it.
    """
    if _work(before, _work(after, WORK_LIMIT)) < 0:
        return replacement(after)
    from jsonpatch import make_patch  # 20 ms of a cold start, only where somebody asks for a patch

    made: Patch = make_patch(before, after).patch
    return made


def _work(document: Document, left: int) -> int:
    """What is left of so much work once the document is compared; it does not go on below zero."""
    waiting: list[tuple[Any, int]] = [(document, 1)]
    while waiting and left >= 0:
        value, depth = waiting.pop()
        if isinstance(value, dict):
            left -= depth * (len(value) + sum(map(len, value)) // _TEXT)
            waiting += ((child, depth + 1) for child in value.values() if left >= 0 and isinstance(child, dict | list | str))
        elif isinstance(value, list):
            left -= depth * len(value)
            waiting += ((child, depth + 1) for child in value if left >= 0 and isinstance(child, dict | list | str))
        else:
            left -= depth * (len(value) // _TEXT)
    return left
