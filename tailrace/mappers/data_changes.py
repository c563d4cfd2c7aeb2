"""
The data change event: any change of an item, with the whole item and a patch. Its mapper works for every collection.

Use it for consumers that keep a copy of the data. It publishes every field of the document, so consumers depend on how the item
is stored: a renamed field breaks them. For consumers that react to what happened, publish that, as ``payments`` does.
"""

from typing import Literal

from tailrace import Change, Document, DomainEvent, Patch, Uncertain

Operation = Literal["created", "updated", "deleted"]

OPERATIONS: dict[str, Operation] = {"insert": "created", "update": "updated", "replace": "updated", "delete": "deleted"}


class DataChanged(DomainEvent, source="app.data"):
    """
    An item of a collection was created, updated or deleted.

    ``item`` is the complete item after the change, or null if it was deleted. If ``itemAsOf`` is ``lookup``, the item was read
    a moment later: it may be newer than this change, and it is null if it no longer existed. ``patch`` is the JSON Patch
    (RFC 6902) from the item before to the item after, where a missing item counts as null. It is null if the database did not
    report enough to compute it.
    """

    collection: str
    key: Document
    operation: Operation
    item: Document | None
    item_as_of: Literal["change", "lookup"]
    patch: Patch | None


def data_changed(change: Change) -> DataChanged | None:
    """A document was inserted, updated, replaced or deleted. An uncertain item or patch is marked, so no change is parked."""
    operation = OPERATIONS.get(change.operation_type)
    if operation is None:
        return None
    item, item_as_of = _item(change)
    return DataChanged(
        collection=str(change.ns),
        key=change.document_key,
        operation=operation,
        item=item,
        item_as_of=item_as_of,
        patch=_patch(change),
    )


def _item(change: Change) -> tuple[Document | None, Literal["change", "lookup"]]:
    try:
        return change.after, "change"
    except Uncertain:
        return change.full_document, "lookup"


def _patch(change: Change) -> Patch | None:
    try:
        return change.diff()
    except Uncertain:
        return None
