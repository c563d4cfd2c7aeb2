"""
The collections of a stream that no mapper reads. The forwarder keeps them in one item of its table, beside the watermarks;
``tailer status`` and the doctor show them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tailrace.text.legible import legible

NAMES: Final = 20  # collections of a stream; of more those with the most changes
NAME_LENGTH: Final = 255  # characters; MongoDB's longest has as many bytes, and whoever may send can make up any
KEPT_SECONDS: Final = 3 * 86_400  # after a collection's last change: a weekend, and soon gone once a mapper reads it
COLLECTIONS, EXPIRES = "collections", "expires"  # attributes; the second is the table's time to live


class Unmapped(msgspec.Struct, frozen=True, kw_only=True):
    """How many changes of this collection no mapper read, and when the first and the last was seen, in seconds since 1970."""

    collection: str
    changes: int
    since: int
    last: int


def key(stream: str) -> dict[str, Any]:
    """Of the stream's item."""
    return {"pk": {"S": f"lane/{stream}/unmapped"}}


def kept(item: Mapping[str, Any] | None, now: float) -> Sequence[Unmapped]:
    """What the item says, the most changes first, without what is past its time: DynamoDB takes days to remove an item."""
    text = (item or {}).get(COLLECTIONS, {}).get("S", "[]")
    found = msgspec.json.decode(text, type=list[Unmapped])
    return sorted((one for one in found if one.last + KEPT_SECONDS > now), key=lambda one: -one.changes)


def added(before: Sequence[Unmapped], counts: Mapping[str, int], now: float) -> Sequence[Unmapped]:
    """With so many changes more of each collection, which were seen now."""
    known = {one.collection: one for one in before}
    for collection, changes in counts.items():
        name = legible(collection)[:NAME_LENGTH]
        one = known.get(name) or Unmapped(collection=name, changes=0, since=int(now), last=int(now))
        known[name] = replace(one, changes=one.changes + changes, last=int(now))
    return sorted(known.values(), key=lambda one: -one.changes)[:NAMES]
