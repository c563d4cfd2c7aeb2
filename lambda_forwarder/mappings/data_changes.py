"""
The data change event: whatever happened to an item, with the item and a patch. One mapper for any collection.

It is for consumers who keep a copy, and it ties them to how the item is stored: every field of the document is on the bus,
and a renamed field breaks them. Where a consumer acts on what happened, tell that instead, as the payments do.
"""

from typing import Literal

from tailrace import Change, Document, DomainEvent, Mappers, Patch, Uncertain


class DataChanged(DomainEvent, source="app.data"):
    """
    An item of a collection was created, updated or deleted.

    ``item`` is the complete item after the change; null once it is deleted. With ``itemAsOf`` ``lookup`` it is the item as it
    was looked up a moment later: perhaps newer than this change, null if it was gone by then. ``patch`` is the JSON Patch
    (RFC 6902) from the item before to the item after, where no item is null; null where the database does not tell enough.
    """

    collection: str
    key: Document
    operation: Literal["created", "updated", "deleted"]
    item: Document | None
    item_as_of: Literal["change", "lookup"]
    patch: Patch | None


def data_changed(change: Change) -> DataChanged | None:
    """A document was written or deleted. What is uncertain of it is said to be, so nothing is parked."""
    operation: Literal["created", "updated", "deleted"]
    match change.operation_type:
        case "insert":
            operation = "created"
        case "update" | "replace":
            operation = "updated"
        case "delete":
            operation = "deleted"
        case _:
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


MAPPERS: Mappers = {"orderstore.orders": (data_changed,)}
