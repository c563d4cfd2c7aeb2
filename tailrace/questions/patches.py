"""JSON Patches (RFC 6902) between two documents, with a limit on the work."""

from typing import Any

from tailrace.wire.change import Document

Patch = list[dict[str, Any]]
"""A JSON Patch (RFC 6902)."""

WORK_LIMIT = 50_000  # compared values, keys and text of two documents: a few seconds of a small function
_TEXT = 64  # characters; comparing so many takes as long as one value


def replacement(document: Document | None) -> Patch:
    return [{"op": "replace", "path": "", "value": document}]


def patch(before: Document, after: Document) -> Patch:
    """
    Return one operation for each difference. Above ``WORK_LIMIT``, return one replacement of the whole document: the
    comparison visits each value once for every object and array around it.
    """
    if _work(before, _work(after, WORK_LIMIT)) < 0:
        return replacement(after)
    from jsonpatch import make_patch  # 20 ms of a cold start, only if a patch is requested

    made: Patch = make_patch(before, after).patch
    return made


def _work(document: Document, left: int) -> int:
    """Return how much of ``left`` remains after comparing the document. It stops below zero."""
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
