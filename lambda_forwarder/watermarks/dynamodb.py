"""
The items of the watermark table, whose partition key is the string ``pk``: the watermark of each lane, the note about each
message group that was ever received again, and the unmapped collections of each stream.
"""

import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

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


class DynamodbWatermarks:
    """
    Keeps the watermarks in this table, which may be the tailer's. ``client`` is a boto3 ``dynamodb`` client, ``now`` returns
    seconds since 1970.

    A sender to the queue can invent lanes, and each leaves an item. If ``streams`` are given, the items of other lanes expire.
    """

    def __init__(
        self,
        client: Any,
        table: str,
        *,
        streams: Collection[str] = (),
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = Table(client, table, sleep=sleep)
        self._streams = streams
        self._now = now

    def check(self) -> None:
        """Return only if the table exists with this key, and this role may read and write it. Nothing is stored."""
        self.read([NOWHERE], lambda: CHECK_SECONDS)
        self._write(NOWHERE, Watermark(generation=0, sequence=0, cluster_time="0.0"), NEVER)

    def read(self, lanes: Collection[str], time_left: TimeLeft) -> Mapping[str, Watermark]:
        """See ``Watermarks``. A sender may name a message group so that its key is that of an item of another kind."""
        items = self._table.read([f"{PREFIX}{lane}" for lane in lanes], "watermarks", time_left)
        return {key.removeprefix(PREFIX): _watermark(item) for key, item in items.items() if "sequence" in item}

    def advance(self, lane: str, to: Watermark) -> None:
        self._write(lane, to, FORWARD)

    def _write(self, lane: str, to: Watermark, condition: str) -> None:
        attributes = {
            "generation": {"N": str(to.generation)},
            "sequence": {"N": str(to.sequence)},
            "clusterTime": {"S": to.cluster_time},
            EXPIRES: None if is_known(lane, self._streams) else {"N": str(int(self._now()) + KEPT_SECONDS)},
        }
        self._table.write(f"{PREFIX}{lane}", attributes, condition)


def is_known(lane: str, streams: Collection[str]) -> bool:
    """Whether one of these streams can have this lane. Without streams, every lane is known."""
    stream, _, number = lane.rpartition(".")
    return not streams or (stream in streams and _lane_number(number) is not None)


def _watermark(item: Item) -> Watermark:
    return Watermark(
        generation=int(item["generation"]["N"]), sequence=int(item["sequence"]["N"]), cluster_time=item["clusterTime"]["S"]
    )


class DynamodbAttempts:
    """
    Keeps the notes in this table. ``client`` is a boto3 ``dynamodb`` client; ``now`` is in seconds since 1970. A note expires
    when its message cannot be in a queue any more.
    """

    def __init__(self, client: Any, table: str, *, now: Callable[[], float] = time.time) -> None:
        self._table = Table(client, table)
        self._now = now

    def read(self, groups: Collection[str], time_left: TimeLeft) -> Mapping[str, Attempt]:
        keys = {f"{PREFIX}{group}{ATTEMPT}": group for group in groups}
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
        self._table.write(f"{PREFIX}{group}{ATTEMPT}", attributes)


def _attempt(item: Item) -> Attempt:
    trying = item["trying"].get("N")
    return Attempt(
        message=item["message"]["S"],
        answered=int(item["answered"]["N"]),
        trying=None if trying is None else int(trying),
        begun=int(item["begun"]["N"]),
    )


class DynamodbUnmapped:
    """
    ``client`` is a boto3 ``dynamodb`` client; ``now`` is in seconds since 1970.

    The item is replaced as a whole, unless another writer replaced it meanwhile, so that it stays within the bounds of
    ``tailrace.aws.unmapped``.
    """

    def __init__(self, client: Any, table: str, *, now: Callable[[], float] = time.time) -> None:
        self._table = Table(client, table)
        self._now = now

    def add(self, stream: str, counts: Mapping[str, int], time_left: TimeLeft) -> None:
        pk = unmapped.key(stream)["pk"]["S"]
        item = self._table.read([pk], "collections without a mapper", time_left).get(pk)
        deadline.check(time_left, "the collections without a mapper were written")
        now, version = self._now(), int(item["version"]["N"]) if item else 0
        collections = unmapped.added(unmapped.kept(item, now), counts, now)
        attributes = {
            unmapped.COLLECTIONS: {"S": msgspec.json.encode(collections).decode()},
            unmapped.EXPIRES: {"N": str(int(now) + unmapped.KEPT_SECONDS)},
            "version": {"N": str(version + 1)},
        }
        condition = "#version = :known" if item else "attribute_not_exists(pk)"
        known = {":known": {"N": str(version)}} if item else None
        if not self._table.write(pk, attributes, condition, known):
            raise Unavailable("another execution environment wrote the collections without a mapper meanwhile")
