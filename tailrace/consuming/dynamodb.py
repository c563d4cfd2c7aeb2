"""An inbox in a DynamoDB table. The note about an event and the consumer's own writes are one transaction."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tailrace.consuming.event import Event

Effect = dict[str, Any]
"""An item of TransactWriteItems, for example ``{"Put": …}`` or ``{"Update": …}``. DynamoDB allows 99 with the note."""

DIGITS = 20  # of a generation and of a sequence: both are at most 2^63, so that positions are ordered as text
REFUSED = "ConditionalCheckFailed"


class DynamodbInbox:
    """
    See ``Inbox``. ``client`` is a boto3 ``dynamodb`` client, ``key`` the table's partition key, a string; the table has no sort
    key. It may be a table that the consumer has already: the keys of the notes begin with ``event/`` and ``document/``.

    ``keep`` is how long a note is kept after its last write, by the attribute ``expires`` (turn on the table's time to live for
    it); it must be longer than an archive or a dead-letter queue delivers events again. Without it notes are kept for ever.

    The role needs dynamodb:UpdateItem on the table. An error of DynamoDB is raised as it is, also a
    transaction that another one prevented (TransactionConflict): the message comes again.
    """

    def __init__(
        self,
        client: Any,
        table: str,
        *,
        key: str = "id",
        keep: timedelta | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._table = table
        self._key = key
        self._keep = keep
        self._clock = clock

    def once(self, event: Event[Any], *effects: Effect) -> bool:
        note = self._note(f"event/{event.id}", "#at = :at", "attribute_not_exists(#key)", {":at": _position(event)})
        return self._applied(note, effects)

    def newest(self, event: Event[Any], *effects: Effect) -> bool:
        key = f"document/{event.metadata.stream}/{event.document}"
        values = {":at": _position(event), ":ids": {"SS": [event.id]}}
        newer = self._note(key, "#at = :at, #ids = :ids", "attribute_not_exists(#key) OR #at < :at", values)
        same = self._note(
            key, "#at = :at ADD #ids :ids", "#at = :at AND NOT contains(#ids, :id)", {**values, ":id": {"S": event.id}}
        )
        return self._applied(newer, effects) or self._applied(same, effects)

    def _note(self, key: str, update: str, condition: str, values: dict[str, Any]) -> Effect:
        names = {"#key": self._key, "#at": "at", "#ids": "ids", "#expires": "expires"}
        if self._keep is not None:
            expires = int(self._clock() + self._keep.total_seconds())
            update, values = f"#expires = :expires, {update}", {**values, ":expires": {"N": str(expires)}}
        return {
            "Update": {
                "TableName": self._table,
                "Key": {self._key: {"S": key}},
                "UpdateExpression": f"SET {update}",
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {name: names[name] for name in names if name in update + condition},
                "ExpressionAttributeValues": values,
            }
        }

    def _applied(self, note: Effect, effects: tuple[Effect, ...]) -> bool:
        """Whether the note and the effects were written; False if the condition of the note does not hold."""
        try:
            self._client.transact_write_items(TransactItems=[note, *effects])
        except self._client.exceptions.TransactionCanceledException as error:
            if error.response["CancellationReasons"][0].get("Code") == REFUSED:
                return False
            raise
        return True


def _position(event: Event[Any]) -> dict[str, str]:
    return {"S": "/".join(f"{number:0{DIGITS}}" for number in event.position)}
