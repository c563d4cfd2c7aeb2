"""
The items of the watermark table, whose partition key is the string ``pk``: the watermark of each lane, the note about each
message group that was ever received again, and the unmapped collections of each stream.
"""

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import msgspec

from lambda_forwarder import deadline
from lambda_forwarder.aws.table import EXPIRES, KEPT_SECONDS, Item, Table
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.model.attempt import Attempt
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import TimeLeft
from tailrace.aws import unmapped

PREFIX, ATTEMPT = "lane/", "/attempt"  # of the partition keys; the prefix is what the function may use of the table

FORWARD = "attribute_not_exists(pk) OR #generation < :generation OR (#generation = :generation AND #sequence < :sequence)"
NEVER = "attribute_exists(pk) AND attribute_not_exists(pk)"
CHECK_SECONDS = 1.0  # for one call and its retries, at the start
NOWHERE = "check"  # not a lane: the name of a lane contains a dot

_lane_number = re.compile(r"[0-9]{1,5}").fullmatch  # a stream has at most 100,000 lanes: tailer.settings.settings


@dataclass(frozen=True)
class DynamodbWatermarks:
    """
    Keeps the watermarks in this table, which may be the tailer's. ``now`` returns seconds since 1970.

    A sender to the queue can invent lanes, and each leaves an item. If ``streams`` are given, the items of other lanes expire.
    """

    table: Table
    streams: Collection[str] = ()
    now: Callable[[], float] = time.time

    def check(self) -> None:
        """Return only if the table exists with this key, and this role may read and write it. Nothing is stored."""
        self.read([NOWHERE], lambda: CHECK_SECONDS)
        self._write(NOWHERE, Watermark(generation=0, sequence=0, cluster_time="0.0"), NEVER)

    def read(self, lanes: Collection[str], time_left: TimeLeft) -> Mapping[str, Watermark]:
        """See ``Watermarks``. A sender may name a message group so that its key is that of an item of another kind."""
        items = self.table.read([f"{PREFIX}{lane}" for lane in lanes], "watermarks", time_left)
        return {key.removeprefix(PREFIX): _watermark(item) for key, item in items.items() if "sequence" in item}

    def advance(self, lane: str, to: Watermark) -> None:
        self._write(lane, to, FORWARD)

    def _write(self, lane: str, to: Watermark, condition: str) -> None:
        attributes = {
            "generation": {"N": str(to.generation)},
            "sequence": {"N": str(to.sequence)},
            "clusterTime": {"S": to.cluster_time},
            EXPIRES: None if is_known(lane, self.streams) else {"N": str(int(self.now()) + KEPT_SECONDS)},
        }
        self.table.write(f"{PREFIX}{lane}", attributes, condition)


def is_known(lane: str, streams: Collection[str]) -> bool:
    """Whether one of these streams can have this lane. Without streams, every lane is known."""
    stream, _, number = lane.rpartition(".")
    return not streams or (stream in streams and _lane_number(number) is not None)


def _watermark(item: Item) -> Watermark:
    return Watermark(
        generation=int(item["generation"]["N"]), sequence=int(item["sequence"]["N"]), cluster_time=item["clusterTime"]["S"]
    )


@dataclass(frozen=True)
class DynamodbAttempts:
    """Keeps the notes in this table. A note expires when its message cannot be in a queue any more."""

    table: Table
    now: Callable[[], float] = time.time

    def read(self, groups: Collection[str], time_left: TimeLeft) -> Mapping[str, Attempt]:
        keys = {f"{PREFIX}{group}{ATTEMPT}": group for group in groups}
        items = self.table.read(keys, "notes of message groups", time_left)
        return {keys[key]: _attempt(item) for key, item in items.items()}

    def write(self, group: str, attempt: Attempt) -> None:
        attributes = {
            "message": {"S": attempt.message},
            "answered": {"N": str(attempt.answered)},
            "trying": {"NULL": True} if attempt.trying is None else {"N": str(attempt.trying)},
            "begun": {"N": str(attempt.begun)},
            EXPIRES: {"N": str(int(self.now()) + KEPT_SECONDS)},
        }
        self.table.write(f"{PREFIX}{group}{ATTEMPT}", attributes)


def _attempt(item: Item) -> Attempt:
    trying = item["trying"].get("N")
    return Attempt(
        message=item["message"]["S"],
        answered=int(item["answered"]["N"]),
        trying=None if trying is None else int(trying),
        begun=int(item["begun"]["N"]),
    )


@dataclass(frozen=True)
class DynamodbUnmapped:
    """
    The item is replaced as a whole, unless another writer replaced it meanwhile, so that it stays within the bounds of
    ``tailrace.aws.unmapped``.
    """

    table: Table
    now: Callable[[], float] = time.time

    def add(self, stream: str, counts: Mapping[str, int], time_left: TimeLeft) -> None:
        pk = unmapped.key(stream)["pk"]["S"]
        item = self.table.read([pk], "collections without a mapper", time_left).get(pk)
        deadline.check(time_left, "the collections without a mapper were written")
        now, version = self.now(), int(item["version"]["N"]) if item else 0
        collections = unmapped.added(unmapped.kept(item, now), counts, now)
        attributes = {
            unmapped.COLLECTIONS: {"S": msgspec.json.encode(collections).decode()},
            unmapped.EXPIRES: {"N": str(int(now) + unmapped.KEPT_SECONDS)},
            "version": {"N": str(version + 1)},
        }
        condition = "#version = :known" if item else "attribute_not_exists(pk)"
        known = {":known": {"N": str(version)}} if item else None
        if not self.table.write(pk, attributes, condition, known):
            raise Unavailable("another execution environment wrote the collections without a mapper meanwhile")
