"""
The collections of a stream that no mapper reads. The forwarder writes them to one item of its watermark table. ``tailer
status`` and the doctor show them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tailrace.text.legible import legible

NAMES: Final = 20  # collections of a stream; the ones with the most changes are kept
NAME_LENGTH: Final = 255  # characters; a sender to the queue can invent longer names than MongoDB allows
KEPT_SECONDS: Final = 3 * 86_400  # after a collection's last change; longer than a weekend
COLLECTIONS, EXPIRES = "collections", "expires"  # attributes; the second is the table's time to live


class Unmapped(msgspec.Struct, frozen=True, kw_only=True):
    """How many changes of this collection no mapper read, and when the first and the last was seen, in seconds since 1970."""

    collection: str
    changes: int
    since: int
    last: int


def key(stream: str) -> dict[str, Any]:
    """The key of the stream's item."""
    return {"pk": {"S": f"lane/{stream}/unmapped"}}


def kept(item: Mapping[str, Any] | None, now: float) -> Sequence[Unmapped]:
    """Read the item: most changes first, expired entries left out. DynamoDB may delete an expired item days later."""
    text = (item or {}).get(COLLECTIONS, {}).get("S", "[]")
    found = msgspec.json.decode(text, type=list[Unmapped])
    return sorted((one for one in found if one.last + KEPT_SECONDS > now), key=lambda one: -one.changes)


def added(before: Sequence[Unmapped], counts: Mapping[str, int], now: float) -> Sequence[Unmapped]:
    """Add ``counts``, the new changes of each collection, all seen now."""
    known = {one.collection: one for one in before}
    for collection, changes in counts.items():
        name = legible(collection)[:NAME_LENGTH]
        one = known.get(name) or Unmapped(collection=name, changes=0, since=int(now), last=int(now))
        known[name] = replace(one, changes=one.changes + changes, last=int(now))
    return sorted(known.values(), key=lambda one: -one.changes)[:NAMES]
