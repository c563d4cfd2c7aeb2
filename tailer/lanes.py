"""Which lane a change takes. What must stay in order takes the same lane, always."""

from collections.abc import Callable, Sequence
from typing import Any

from contract import identity
from contract.change import Change, Document, UpdateDescription
from contract.paths import Names
from contract.readings import Write, writes
from tailer.errors import Rejected

RULE = 2  # grows when a document's lane is computed otherwise; it is kept with the checkpoint

LaneOf = Callable[[Change], int]


def lanes(count: int, order_by: str) -> LaneOf:
    """
    The lane function of a stream: ``order_by`` is ``document``, ``stream`` or a dotted field path.

    A document's lane is made of its name, so whatever has one name has one lane. What is not about one document (a drop, a
    gap) takes the lane of its namespace. Values of a field that MongoDB compares equal share a lane. A lane number is a stable
    hash modulo ``count``: the same in every process and every release.
    """
    if order_by == "stream":
        return lambda _: 0
    if order_by == "document":
        return lambda change: identity.lane(change.document, count)
    field = _Field(order_by)
    return lambda change: identity.lane(
        identity.of_json(field.value(change)) if change.document_key else change.document, count
    )


class _Field:
    """
    A field that orders a stream. A change that is read again must take its old lane, or the forwarder drops it behind what
    that lane published since. So its value is taken from what the server recorded with the change; a looked-up document may
    be newer, and is asked only where the field never changes.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._names = path.split(".")
        self._around = {".".join(self._names[:depth]) for depth in range(1, len(self._names) + 1)}
        self._within = f"{path}."

    def value(self, change: Change) -> Any:
        """
        What the change holds of the field.

        Raises:
            Rejected: nothing, or nothing that would be the same when it is read again.
        """
        recorded = change.full_document if change.operation_type in ("insert", "replace") else None
        if (value := change.document_key.get(self._path)) is not None:  # of a shard key, whose names are paths
            return value
        for document in (change.document_key, recorded, change.full_document_before_change):
            if (value := _at(document, self._names)) is not None:
                return value
        if change.full_document_before_change is not None:
            value = self._set_by(change)
        elif self._changed_by(change.update_description):
            raise Rejected(
                f"TAILER_ORDER_BY={self._path}: the update of {change.document} sets this field, which must never change: read "
                f"again, earlier changes of the document would take another lane and be dropped. {_REMEDY}"
            )
        else:
            value = _at(change.full_document, self._names)
        if value is None:
            raise Rejected(
                f"TAILER_ORDER_BY={self._path}: the {change.operation_type} of {change.document} does not carry this field, so "
                f"its place in the order is unknown. {_REMEDY}"
            )
        return value

    def _set_by(self, change: Change) -> Any:
        """The field's value where the update certainly set it, or a document around it, as a whole."""
        if change.post_image:
            return _at(change.full_document, self._names)
        around: dict[Names, list[str]] = {
            tuple(self._names[:depth]): self._names[depth:] for depth in range(1, len(self._names) + 1)
        }
        for write in _told(change.update_description, change.full_document_before_change):
            if write.names in around:
                return _at(write.value, around[write.names])
        return None

    def _changed_by(self, described: UpdateDescription | None) -> bool:
        """Whether the update touched the field, a part of it or a document around it, or may have."""
        return any(map(self._may_be_touched, _told(described, None)))

    def _may_be_touched(self, write: Write) -> bool:
        if write.names is None:
            return write.path in self._around or write.path.startswith(self._within)
        return all(one == other for one, other in zip(write.names, self._names, strict=False))


def _told(described: UpdateDescription | None, before: Document | None) -> list[Write]:
    return [] if described is None else writes(described, before)


_REMEDY = (
    "Let the queue run empty and order by document (tailer checkpoint accept-settings); a field orders safely with pre-images, "
    "TAILER_FULL_DOCUMENT_BEFORE_CHANGE=required, from the moment on that the collection keeps them"
)


def _at(value: Any, names: Sequence[str]) -> Any:
    """What lies there, through documents only; None where nothing does."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
