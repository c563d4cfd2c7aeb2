"""Recognises the delete of an item whose time to live was over."""

from tailrace.change import Change

DATABASE = "dynamodb"  # in ``ns``, in the place of a database
EXPIRED = "/expired"  # the end of the id of such a delete; a change keeps its id wherever it waits


def expired(change: Change) -> bool:
    """Whether DynamoDB deleted the item because its time to live was over, and not a client."""
    return change.deleted and change.ns.db == DATABASE and change.id.endswith(EXPIRED)
