"""The collections of a stream that no mapper reads, as the forwarder keeps them in its table."""

import time
from collections.abc import Sequence
from typing import Any

from tailer.aws.errors import aws_errors
from tailer.errors import TailerError
from tailer.times import rfc3339
from tailrace.aws.unmapped import Unmapped, kept, key
from tailrace.text.legible import legible


def unmapped(client: Any, table: str, stream: str) -> Sequence[Unmapped]:
    """
    Return the collections with a change in the last days, the one with most changes first. ``client`` is of DynamoDB.

    An empty list can also mean that no forwarder keeps them: FORWARDER_STREAMS does not name the stream, or its version is old.
    """
    return kept(client.get_item(TableName=table, Key=key(stream)).get("Item"), time.time())


def shown(client: Any, table: str, stream: str) -> dict[str, Any]:
    """Return them as a part of the status of a stream: empty if there are none, the error if the table cannot be read."""
    try:
        with aws_errors("TAILER_CHECKPOINTS", table):
            found = unmapped(client, table, stream)
    except TailerError as error:
        return {"unmapped": f"unknown: {error}"}
    return {"unmapped": [described(entry) for entry in found]} if found else {}


def described(entry: Unmapped) -> str:
    """Return the collection with its number of changes and their times, for a person."""
    since, last = (rfc3339(f"{at}.0") for at in (entry.since, entry.last))
    changes = "1 change" if entry.changes == 1 else f"{entry.changes} changes"
    return f"{legible(entry.collection)}: {changes} since {since}, the last at {last}"
