"""Watermarks in a DynamoDB table with a string partition key ``pk``: one item for each lane."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from lambda_forwarder.aws.table import Item, Table
from lambda_forwarder.model.watermark import Watermark
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.watermarks.expiry import ATTRIBUTE, Expiry, never

PREFIX = "lane/"  # of the partition keys; the tailer's own items have another

FORWARD = "attribute_not_exists(pk) OR #generation < :generation OR (#generation = :generation AND #sequence < :sequence)"
NEVER = "attribute_exists(pk) AND attribute_not_exists(pk)"
CHECK_SECONDS = 1.0  # for one call and its retries, at the start
NOWHERE = "check"  # no lane is called so: a lane's name has a dot


class DynamodbWatermarks:
    """
    Keeps the watermarks in this table, which may be the tailer's. ``client`` is a boto3 ``dynamodb`` client.

    If ``expires`` has a time for a lane, its item gets the time as an attribute, for the table's time to live.
    """

    def __init__(
        self, client: Any, table: str, *, expires: Expiry = never, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._table = Table(client, table, sleep=sleep)
        self._expires = expires

    def check(self) -> None:
        """
        Check that the table exists with this key, and that this role may read and write it. Leave nothing in it.

        Raises:
            Misconfigured: the table cannot be used; the message names the setting and the remedy.
        """
        self.read([NOWHERE], lambda: CHECK_SECONDS)
        self._write(NOWHERE, Watermark(generation=0, sequence=0, cluster_time="0.0"), NEVER)

    def read(self, lanes: Collection[str], time_left: TimeLeft) -> Mapping[str, Watermark]:
        """See ``Watermarks``. A sender may name a message group so that its key is that of an item of another kind."""
        items = self._table.read([f"{PREFIX}{lane}" for lane in lanes], "watermarks", time_left)
        return {key.removeprefix(PREFIX): _watermark(item) for key, item in items.items() if "sequence" in item}

    def advance(self, lane: str, to: Watermark) -> None:
        """See ``Watermarks``."""
        self._write(lane, to, FORWARD)

    def _write(self, lane: str, to: Watermark, condition: str) -> None:
        expires = self._expires(lane)
        attributes = {
            "generation": {"N": str(to.generation)},
            "sequence": {"N": str(to.sequence)},
            "clusterTime": {"S": to.cluster_time},
            ATTRIBUTE: None if expires is None else {"N": str(expires)},
        }
        self._table.write(f"{PREFIX}{lane}", attributes, condition)


def _watermark(item: Item) -> Watermark:
    return Watermark(
        generation=int(item["generation"]["N"]), sequence=int(item["sequence"]["N"]), cluster_time=item["clusterTime"]["S"]
    )
