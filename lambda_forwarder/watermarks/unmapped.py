"""The collections that no mapper reads, in the watermark table: one item for each stream."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from lambda_forwarder import deadline
from lambda_forwarder.aws.table import Table
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.ports import TimeLeft
from tailrace.aws.unmapped import COLLECTIONS, EXPIRES, KEPT_SECONDS, added, kept, key


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
        pk = key(stream)["pk"]["S"]
        item = self._table.read([pk], "collections without a mapper", time_left).get(pk)
        deadline.check(time_left, "the collections without a mapper were written")
        now, version = self._now(), int(item["version"]["N"]) if item else 0
        attributes = {
            COLLECTIONS: {"S": msgspec.json.encode(added(kept(item, now), counts, now)).decode()},
            EXPIRES: {"N": str(int(now) + KEPT_SECONDS)},
            "version": {"N": str(version + 1)},
        }
        condition = "#version = :known" if item else "attribute_not_exists(pk)"
        known = {":known": {"N": str(version)}} if item else None
        if not self._table.write(pk, attributes, condition, known):
            raise Unavailable("another execution environment wrote the collections without a mapper meanwhile")
