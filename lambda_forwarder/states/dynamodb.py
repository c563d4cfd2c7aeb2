"""
The items of the table of last states: one for each document of a stream. The partition key ``pk`` has the name of the stream
and a digest of the document's name, so that it shows no key of a document.

DynamoDB encrypts the values with the key of the table. They are personal data if the fields are. An item expires
``KEPT_SECONDS`` after the last change of its document, and ``DELETED_SECONDS`` after its delete.
"""

import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec

from lambda_forwarder import deadline
from lambda_forwarder.aws.table import EXPIRES, Item, Table
from lambda_forwarder.aws.table import KEPT_SECONDS as MESSAGE_SECONDS
from lambda_forwarder.errors import Unavailable
from lambda_forwarder.model.history import History
from lambda_forwarder.ports import Stored, TimeLeft

SETTING = "FORWARDER_LAST_STATES"
NEEDS = (
    "a table with a string partition key pk, in this region, with the permissions dynamodb:BatchGetItem and "
    "dynamodb:UpdateItem; or leave the setting out, and no state is remembered"
)
PREFIX = "state/"  # of the partition keys; it is what the function may use of the table
KEPT_SECONDS = 400 * 86_400  # more than a year: a yearly change of a document finds the one before
DELETED_SECONDS = MESSAGE_SECONDS  # a message of the document can be in the queues for so long
CHECK_SECONDS = 1.0  # for one call and its retries, at the start
HISTORY_LIMIT = 300_000  # bytes; an item of DynamoDB has 400 KB
CALLS_AT_ONCE = 8  # a boto3 client has ten connections
NEVER = "attribute_exists(pk) AND attribute_not_exists(pk)"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(History).decode


@dataclass(frozen=True)
class DynamodbLastStates:
    """Keeps the histories in this table. ``now`` returns seconds since 1970."""

    table: Table
    now: Callable[[], float] = time.time

    def check(self) -> None:
        """Return only if the table exists with this key, and this role may read and write it. Nothing is stored."""
        self.table.read([f"{PREFIX}check"], "last states", lambda: CHECK_SECONDS)
        self.table.write(f"{PREFIX}check", {"revision": {"N": "0"}}, NEVER)

    def read(self, keys: Collection[str], time_left: TimeLeft) -> Mapping[str, Stored]:
        items = self.table.read([f"{PREFIX}{key}" for key in keys], "last states", time_left)
        return {key.removeprefix(PREFIX): _stored(item) for key, item in items.items()}

    def write(self, changed: Mapping[str, Stored], time_left: TimeLeft) -> None:
        """See ``LastStates``. A conditional write is a call of its own."""
        with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="last-states") as threads:
            for done in [threads.submit(self._write, key, new, time_left) for key, new in changed.items()]:
                done.result()

    def _write(self, key: str, new: Stored, time_left: TimeLeft) -> None:
        deadline.check(time_left, "the last state of a document was written")
        seconds = DELETED_SECONDS if new.history.deleted else KEPT_SECONDS
        attributes = {
            "history": {"B": _bounded(new.history)},
            "revision": {"N": str(new.revision + 1)},
            EXPIRES: {"N": str(int(self.now()) + seconds)},
        }
        known = {":known": {"N": str(new.revision)}} if new.revision else None
        condition = "#revision = :known" if new.revision else "attribute_not_exists(pk)"
        if not self.table.write(f"{PREFIX}{key}", attributes, condition, known):
            raise Unavailable("another execution environment wrote the last state of a document meanwhile")


def _bounded(history: History) -> bytes:
    """Return the history in bytes, without its oldest versions if it is too large for an item."""
    while len(content := _encode(history)) > HISTORY_LIMIT and len(history.versions) > 1:
        history = msgspec.structs.replace(history, versions=history.versions[len(history.versions) // 2 :])
    return content


def _stored(item: Item) -> Stored:
    return Stored(history=_decode(item["history"]["B"]), revision=int(item["revision"]["N"]))
