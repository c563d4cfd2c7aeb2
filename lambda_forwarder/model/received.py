"""What Lambda says about a received message beside its body."""

from collections.abc import Mapping, Sequence
from typing import Any

Record = dict[str, Any]
"""One record of the Lambda's SQS event."""


def by_group(records: Sequence[Record]) -> Mapping[str, Sequence[Record]]:
    """The records of each message group, in order. Of a standard queue each message is a group of its own."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(group(record), []).append(record)
    return groups


def group(record: Record) -> str:
    """The message group, or the message's own id where there is none."""
    name: str = record["attributes"].get("MessageGroupId", record["messageId"])
    return name


def receives(record: Record) -> int:
    """How often the queue has handed the message out, this time included."""
    return int(record["attributes"].get("ApproximateReceiveCount", 1))


def age(record: Record, now: float) -> float:
    """Seconds since the queue handed the message out for the first time. ``now`` is in seconds since 1970."""
    first = record["attributes"].get("ApproximateFirstReceiveTimestamp")
    return max(0.0, now - int(first) / 1000) if first else 0.0
