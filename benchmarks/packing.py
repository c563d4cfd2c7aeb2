"""
``python -P -m benchmarks.packing``: what changes become on the queue, by how many of them are sent at a time.

Nothing is timed and nothing is random: the product's own decoder, lanes and packing work on changes as a server sends them, so
the figures are the same at every run. Only the bytes after compression depend, by a little, on the machine's zlib.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
from bson import ObjectId, json_util
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp

from benchmarks.backlog import payments
from benchmarks.figures import COLLECTION, DATABASE
from contract.change import Change
from infra.costs.packed import CHANGES, CHUNK, Packed
from tailer.lanes import lanes
from tailer.mongodb.change_events import change_from_event
from tailer.packing import ENTRIES_PER_CALL, Message, Packer, calls
from tailer.settings import Settings

BATCHES = {1: "quiet", 10: "steady", 100: "busy", 2_500: "behind"}  # the last is a full batch: 4 MB of such changes
LANES = int(Settings.model_fields["lanes"].default)
PUT_ENTRIES, PUTS_AT_ONCE = 10, 4  # of the forwarder: entries of a PutEvents call, and calls side by side
_COMMITTED = datetime(2026, 11, 22, 7, tzinfo=UTC)
_COLLECTION_ID = "9ACBD2D74E14485D9203986A668E8AC1"

Event = dict[str, Any]


def events(count: int) -> Iterator[Event]:
    """Change events as a server sends them: inserts, and as many cancellations of payments from before the backlog."""
    chance = random.Random(2_026)
    for number, payment in enumerate(payments(count, chance)):
        payment["_id"] = ObjectId(chance.randbytes(12))  # the generator's own are of this moment and machine
        yield _event("update" if number % 2 else "insert", payment, number)


def changes(count: int) -> list[Change]:
    """The same as the tailer decodes them."""
    decoded = (RawBSONDocument(bson.encode(event)) for event in events(count))
    return [change_from_event(event, sequence) for sequence, event in enumerate(decoded, 1)]


def packed(name: str, batch: int, backlog: Sequence[Change]) -> Packed:
    """What the sink makes of the backlog when it gets it ``batch`` changes at a time. A call is received as it was sent."""
    sent = calls_of(backlog, batch)
    messages = [message for call in sent for message in call]
    billed = sum(_chunks(sum(message.size for message in call)) for call in sent)
    return Packed(
        name=name,
        batch=batch,
        messages=len(messages),
        calls=len(sent),
        sends=billed,
        receives=billed,
        invocations=len(sent),
        puts=sum(-(-message.changes // (PUT_ENTRIES * PUTS_AT_ONCE)) for message in messages),
        size=sum(message.size for message in messages),
    )


def calls_of(backlog: Sequence[Change], batch: int) -> list[Sequence[Message]]:
    """The calls that carry the backlog, ``batch`` changes at a time."""
    return [call for begin in range(0, len(backlog), batch) for call in _calls(backlog[begin : begin + batch])]


def unpacked(count: int) -> Packed:
    """The naive way of ``benchmarks.naive``: a message and a call for each change, read ten at a time."""
    bodies = [json_util.dumps(event) for event in events(count)]
    assert max(map(len, bodies)) * ENTRIES_PER_CALL < CHUNK  # ten of them in a receive are one request
    reads = -(-count // ENTRIES_PER_CALL)
    return Packed(
        name="unpacked",
        batch=1,
        messages=count,
        calls=count,
        sends=count,
        receives=reads,
        invocations=reads,
        puts=count,
        size=sum(map(len, bodies)),
    )


def measured() -> list[Packed]:
    """All of them, for the cost model."""
    backlog = changes(CHANGES)
    return [unpacked(CHANGES), *(packed(name, batch, backlog) for batch, name in BATCHES.items())]


def _calls(batch: Sequence[Change]) -> Iterator[Sequence[Message]]:
    """As ``SqsSink``: of each lane the first waiting message, ten lanes in a call, until nothing waits."""
    lane_of, packer = lanes(LANES, "document"), Packer(stream=DATABASE, generation=1)
    runs: dict[int, list[Change]] = {}
    for change in batch:
        runs.setdefault(lane_of(change), []).append(change)
    waiting = [list(packer.messages(lane, run)) for lane, run in runs.items()]
    while waiting:
        yield from calls(messages.pop(0) for messages in waiting)
        waiting = [messages for messages in waiting if messages]


def _chunks(size: int) -> int:
    return -(-size // CHUNK)


def _event(kind: str, payment: Event, number: int) -> Event:
    committed = _COMMITTED + timedelta(milliseconds=number)
    time, key = Timestamp(int(committed.timestamp()), number % 1_000 + 1), payment["_id"]
    token = f"82{time.time:08X}{time.inc:08X}2B022C0100296E5A1004{_COLLECTION_ID}46645F69640064{key}0004"
    event = {
        "_id": {"_data": token},
        "operationType": kind,
        "clusterTime": time,
        "wallTime": committed,
        "fullDocument": payment,
        "ns": {"db": DATABASE, "coll": COLLECTION},
        "documentKey": {"_id": key},
    }
    if kind == "insert":
        return event
    cancelled = {"status": "cancelled", "updated": committed}
    described = {"updatedFields": cancelled, "removedFields": [], "truncatedArrays": []}
    return event | {"fullDocument": payment | cancelled, "updateDescription": described}


def main() -> None:
    for one in measured():
        print(one)


if __name__ == "__main__":
    main()
