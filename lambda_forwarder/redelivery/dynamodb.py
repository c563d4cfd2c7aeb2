"""Attempt notes in the watermark table: one item for each message group that was ever received again."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from lambda_forwarder.aws.table import EXPIRES, KEPT_SECONDS, Item, Table
from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.ports import TimeLeft

PREFIX, SUFFIX = "lane/", "/attempt"  # of the partition keys; the prefix is what the function may use of the table


class DynamodbAttempts:
    """
    Keeps the notes in this table. ``client`` is a boto3 ``dynamodb`` client; ``now`` is in seconds since 1970. A note expires
    when its message cannot be in a queue any more.
    """

    def __init__(self, client: Any, table: str, *, now: Callable[[], float] = time.time) -> None:
        self._table = Table(client, table)
        self._now = now

    def read(self, groups: Collection[str], time_left: TimeLeft) -> Mapping[str, Attempt]:
        keys = {f"{PREFIX}{group}{SUFFIX}": group for group in groups}
        items = self._table.read(keys, "notes of message groups", time_left)
        return {keys[key]: _attempt(item) for key, item in items.items()}

    def write(self, group: str, attempt: Attempt) -> None:
        attributes = {
            "message": {"S": attempt.message},
            "answered": {"N": str(attempt.answered)},
            "trying": {"NULL": True} if attempt.trying is None else {"N": str(attempt.trying)},
            "begun": {"N": str(attempt.begun)},
            EXPIRES: {"N": str(int(self._now()) + KEPT_SECONDS)},
        }
        self._table.write(f"{PREFIX}{group}{SUFFIX}", attributes)


def _attempt(item: Item) -> Attempt:
    trying = item["trying"].get("N")
    return Attempt(
        message=item["message"]["S"],
        answered=int(item["answered"]["N"]),
        trying=None if trying is None else int(trying),
        begun=int(item["begun"]["N"]),
    )
