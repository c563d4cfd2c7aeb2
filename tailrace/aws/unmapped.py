"""
The collections of a stream that no mapper reads. The forwarder keeps them in one item of its watermark table. ``tailer status``
and the doctor show them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tailrace.text.legible import legible

NAMES: Final = 20  # collections of a stream; the ones with the most changes are kept
NAME_LENGTH: Final = 255  # characters, as in MongoDB; a sender to the queue can invent longer names
KEPT_SECONDS: Final = 3 * 86_400  # after a collection's last change; longer than a weekend
COLLECTIONS, EXPIRES = "collections", "expires"  # attributes; the second is the table's time to live


class Unmapped(msgspec.Struct, frozen=True, kw_only=True):
    """
    The number of ``changes`` of a collection that no mapper read. ``since`` and ``last`` are the times of the first and the
    last, in seconds since 1970.
    """

    collection: str
    changes: int
    since: int
    last: int


def key(stream: str) -> dict[str, Any]:
    """The key of the item of a stream."""
    return {"pk": {"S": f"lane/{stream}/unmapped"}}


def kept(item: Mapping[str, Any] | None, now: float) -> Sequence[Unmapped]:
    """Read the item: most changes first, expired entries left out. DynamoDB may delete an expired item days later."""
    text = (item or {}).get(COLLECTIONS, {}).get("S", "[]")
    found = msgspec.json.decode(text, type=list[Unmapped])
    return sorted((entry for entry in found if entry.last + KEPT_SECONDS > now), key=_most_changes)


def added(before: Sequence[Unmapped], counts: Mapping[str, int], now: float) -> Sequence[Unmapped]:
    """Add new changes, counted by collection."""
    entries = {entry.collection: entry for entry in before}
    for collection, changes in counts.items():
        name = legible(collection)[:NAME_LENGTH]
        entry = entries.get(name) or Unmapped(collection=name, changes=0, since=int(now), last=int(now))
        entries[name] = replace(entry, changes=entry.changes + changes, last=int(now))
    return sorted(entries.values(), key=_most_changes)[:NAMES]


def _most_changes(entry: Unmapped) -> int:
    return -entry.changes
