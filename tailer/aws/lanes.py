"""The lane of a change. Changes that must stay in order always have the same lane."""

from collections.abc import Callable, Sequence
from typing import Any

from tailer.errors import Undeliverable
from tailrace.questions.paths import Names
from tailrace.questions.readings import writes
from tailrace.wire import identity
from tailrace.wire.change import Change

RULE = 2  # increased when a document's lane is computed in another way; kept with the checkpoint

LaneOf = Callable[[Change], int]


def lanes(count: int, order_by: str) -> LaneOf:
    """
    Return the lane function of a stream. ``order_by`` is ``document``, ``stream`` or a dotted field path.

    A document's lane is a hash of its name. A change that is not about a document (a drop, a gap) has the lane of its
    namespace. A stub has the lane of its document's name, for every ``order_by``. Values of a field that MongoDB compares as
    equal have the same lane. A lane number is a stable hash modulo ``count``: the same in every process and every release.
    """
    if order_by == "stream":
        return lambda _: 0
    if order_by == "document":
        return lambda change: identity.lane(change.document, count)
    field = _Field(order_by)
    return lambda change: identity.lane(
        identity.of_json(field.value(change)) if change.document_key and not change.poison else change.document, count
    )


class _Field:
    """
    The field that orders a stream. A change that is read again must get the same lane; in another lane, the forwarder might
    drop it as a repeat. So the value is one that the server recorded with the change: the key, the document of an insert or
    replace, the pre-image, or the updated fields. It is never that of a looked-up document.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._names = path.split(".")

    def value(self, change: Change) -> Any:
        """The field's value; raise ``Undeliverable`` if the change does not carry the field."""
        if (value := change.document_key.get(self._path)) is not None:  # a shard key's names are paths
            return value
        recorded = change.full_document if change.operation_type in ("insert", "replace") else None
        for document in (change.document_key, recorded, change.full_document_before_change):
            if (value := _at(document, self._names)) is not None:
                return value
        if (value := self._set_by(change)) is not None:
            return value
        raise Undeliverable(
            f"TAILER_ORDER_BY={self._path}: the change does not contain this field, so its lane is unknown. Let the queue run "
            "empty and set TAILER_ORDER_BY=document (tailer checkpoint accept-settings), or exclude such changes with "
            "TAILER_PIPELINE"
        )

    def _set_by(self, change: Change) -> Any:
        """The field's value if the update certainly set the field, or a document that contains it."""
        if change.post_image:
            return _at(change.full_document, self._names)
        if (before := change.full_document_before_change) is None or change.update_description is None:
            return None
        around: dict[Names, list[str]] = {
            tuple(self._names[:depth]): self._names[depth:] for depth in range(1, len(self._names) + 1)
        }
        set_by = (write for write in writes(change.update_description, before) if write.names in around)
        return next((_at(write.value, around[write.names]) for write in set_by if write.names), None)


def _at(value: Any, names: Sequence[str]) -> Any:
    """The value at this path through documents. None if there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
