"""Once, in DynamoDB: an event's effect and the note that it was handled are one transaction."""

from collections.abc import Sequence
from typing import Any

TransactItem = dict[str, Any]
NOTE = "handled/"  # before the event's id, in the key of the note


def once(dynamodb: Any, table: str, event_id: str, effects: Sequence[TransactItem]) -> bool:
    """
    Do all of it, or, where the event was handled before, nothing: False then. In production the notes have a time to live that
    is longer than an archive is ever replayed.
    """
    note = {
        "Put": {"TableName": table, "Item": {"id": {"S": NOTE + event_id}}, "ConditionExpression": "attribute_not_exists(id)"}
    }
    try:
        dynamodb.transact_write_items(TransactItems=[note, *effects])
    except dynamodb.exceptions.TransactionCanceledException as error:
        if error.response["CancellationReasons"][0]["Code"] == "ConditionalCheckFailed":
            return False
        raise
    return True
