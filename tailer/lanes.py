"""Which lane a change takes. What must stay in order takes the same lane, always."""

import hashlib
from collections.abc import Callable
from typing import Any

from contract.change import Change, canonical
from tailer.errors import Rejected

LaneOf = Callable[[Change], int]


def lanes(count: int, order_by: str) -> LaneOf:
    """
    The lane function of a stream: ``order_by`` is ``document``, ``stream`` or a dotted field path.

    What is not about one document (a drop, a gap) takes the lane of its namespace. A lane number is a stable hash modulo
    ``count``: the same in every process and every release.
    """
    if order_by == "stream":
        return lambda _: 0
    if order_by == "document":
        return lambda change: _lane([change.ns.db, change.ns.coll, change.document_key], count)
    return lambda change: _lane(_field(change, order_by) if change.document_key else [change.ns.db, change.ns.coll], count)


def _lane(key: Any, count: int) -> int:
    return int.from_bytes(hashlib.blake2b(canonical(key), digest_size=8).digest()) % count


def _field(change: Change, path: str) -> Any:
    for document in (change.document_key, change.full_document, change.full_document_before_change):
        value: Any = document
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            return value
    raise Rejected(
        f"TAILER_ORDER_BY={path}: the {change.operation_type} of {change.document} does not carry this field, so its place "
        "in the order is unknown. Enable pre-images (TAILER_FULL_DOCUMENT_BEFORE_CHANGE=required) or order by document"
    )
