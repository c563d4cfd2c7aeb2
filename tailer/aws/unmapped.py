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
    Those with a change in the last days, the most changes first. ``client`` is a boto3 ``dynamodb`` client.

    None also means that no forwarder keeps them there: its FORWARDER_STREAMS does not name the stream, or its version is older.
    """
    return kept(client.get_item(TableName=table, Key=key(stream)).get("Item"), time.time())


def shown(client: Any, table: str, stream: str) -> dict[str, Any]:
    """Them as a part of a stream's state; nothing where there are none. Whatever is wrong with the table is what is shown."""
    try:
        with aws_errors("TAILER_CHECKPOINTS", table):
            found = unmapped(client, table, stream)
    except TailerError as error:
        return {"unmapped": f"unknown: {error}"}
    return {"unmapped": [described(one) for one in found]} if found else {}


def described(one: Unmapped) -> str:
    """For a person."""
    since, last = (rfc3339(f"{at}.0") for at in (one.since, one.last))
    changes = "1 change" if one.changes == 1 else f"{one.changes} changes"
    return f"{legible(one.collection)}: {changes} since {since}, the last at {last}"
