"""Watermarks in a DynamoDB table with a string partition key ``pk``: one item for each lane."""

import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from lambda_forwarder.aws.table import EXPIRES, KEPT_SECONDS, Item, Table
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import TimeLeft

PREFIX = "lane/"  # of the partition keys; the tailer's items have another

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
