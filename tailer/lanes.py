"""Which lane a change takes. What must stay in order takes the same lane, always."""

from collections.abc import Callable, Sequence
from typing import Any

from contract import identity
from contract.change import Change, UpdateDescription
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
        self._around = {".".join(self._names[:depth]): self._names[depth:] for depth in range(1, len(self._names) + 1)}
        self._within = f"{path}."

    def value(self, change: Change) -> Any:
        """
        What the change holds of the field.

        Raises:
            Rejected: nothing, or nothing that would be the same when it is read again.
        """
        recorded = change.full_document if change.operation_type in ("insert", "replace") else None
        for document in (change.document_key, recorded, change.full_document_before_change):
            if (value := _at(document, self._names)) is not None:
                return value
        if change.full_document_before_change is not None:
            value = self._set_by(change.update_description)
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

    def _set_by(self, described: UpdateDescription | None) -> Any:
        """The field's value where the update set it, or a document around it, as a whole."""
        updated = described.updated_fields if described else {}
        return next((_at(updated[path], rest) for path, rest in self._around.items() if path in updated), None)

    def _changed_by(self, described: UpdateDescription | None) -> bool:
        """Whether the update touched the field, a part of it or a document around it."""
        if described is None:
            return False
        touched = (*described.updated_fields, *described.removed_fields, *(cut["field"] for cut in described.truncated_arrays))
        return not self._around.keys().isdisjoint(touched) or any(path.startswith(self._within) for path in touched)


_REMEDY = (
    "Let the queue run empty and order by document (tailer checkpoint accept-settings); a field orders safely with pre-images, "
    "TAILER_FULL_DOCUMENT_BEFORE_CHANGE=required, from the moment on that the collection keeps them"
)


def _at(value: Any, names: Sequence[str]) -> Any:
    """What lies there, through documents only; None where nothing does."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
