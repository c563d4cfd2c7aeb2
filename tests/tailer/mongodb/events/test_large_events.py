"""A change that the server cannot send arrives with fewer fields or as a stub, and the stream continues after it."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import (
    AutoReconnect,
    CursorNotFound,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from tailer.errors import Rejected, Unavailable, Undeliverable
from tailer.model import Checkpoint
from tailer.mongodb.events.size_errors import ClosedConnections
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.poison import OnPoison
from tailrace.wire.change import Change

pytestmark = pytest.mark.usefixtures("short_reads")

Mongo = MongoClient[dict[str, Any]]
Documents = Collection[dict[str, Any]]
MB = 1 << 20
OTHERS = 64  # bytes, more than the rest of a document with two fields takes


@pytest.fixture
def mongo(large_mongo: Mongo) -> Mongo:
    return large_mongo


@pytest.fixture
def direct_reader(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mongo]:
    """A client that reconnects at once, not after half a second, when a connection is closed."""
    monkeypatch.setattr("pymongo.common.MIN_HEARTBEAT_INTERVAL", 0.01)
    [(host, port)] = mongo.nodes
    with MongoClient[dict[str, Any]](host, port, directConnection=True) as client:
        yield client


def wide_document(size: int) -> dict[str, Any]:
    """Build a document with an ``_id`` of this many bytes."""
    return {"_id": "k" * size}


def heavy_document(size: int) -> dict[str, Any]:
    """Build a document of the maximum size with an ``_id`` of this many bytes."""
    return {**wide_document(size), "pad": "x" * (16 * MB - size - OTHERS)}


def insert_and_delete(documents: Documents, size: int) -> None:
    documents.insert_one(wide_document(size))
    documents.delete_one(wide_document(size))


def insert_in_a_transaction(documents: Documents) -> None:
    with documents.database.client.start_session() as session, session.start_transaction():
        for one in ({"_id": 1}, wide_document(5 * MB), {"_id": 2}, {"_id": 3}):
            documents.insert_one(one, session=session)


WRITES: dict[str, tuple[Callable[[Documents], object], str]] = {
    "16 MB, and an _id of 8 kB": (lambda documents: documents.insert_one(heavy_document(8_000)), "p"),
    "the same of 4 kB: the event fits, the reply does not": (
        lambda documents: documents.insert_one(heavy_document(4_000)),
        "p",
    ),
    "700 kB of _id: a message holds no such key": (lambda documents: documents.insert_one(wide_document(700_000)), "p"),
    "5 MB of _id: no reply holds the token": (lambda documents: insert_and_delete(documents, 5 * MB), "pp"),
    "between others of one cluster time": (insert_in_a_transaction, ".p.."),
}
"""What is written, and which changes of it are poison."""


@pytest.mark.parametrize("name", WRITES)
def test_stream_continues_after_an_oversized_change(mongo: Mongo, direct_reader: Mongo, fresh: str, name: str) -> None:
    """Numbered without a gap, each with the document's namespace and a reason. A second read gives the same changes."""
    write, expected = WRITES[name]
    mongo[fresh].create_collection("c")
    start = MongodbSource(direct_reader, Watch(database=fresh)).first()
    mongo[fresh].c.insert_one({"_id": "before"})
    write(mongo[fresh].c)
    mongo[fresh].c.insert_one({"_id": "after"})
    changes, again = (
        read_with_restarts(MongodbSource(direct_reader, Watch(database=fresh)), start, 2 + len(expected)) for _ in range(2)
    )
    assert [change.sequence for change in changes] == list(range(1, len(changes) + 1))
    assert (changes[0].document, changes[-1].document) == (f"{fresh}.c/before", f"{fresh}.c/after")
    assert "".join("p" if change.poison else "." for change in changes[1:-1]) == expected
    assert all(change.ns.db == fresh and len(change.document) < 400 and len(change.id) < 70_000 for change in changes)
    assert again == changes


def read_with_restarts(source: MongodbSource, after: Checkpoint, count: int) -> list[Change]:
    """Read as the tailer does: reopen the stream at the last position after a failure."""
    changes: list[Change] = []
    while len(changes) < count:
        with suppress(Unavailable), closing(source.batches(after)) as batches:
            for batch in batches:
                changes += batch.changes
                after = batch.checkpoint
                if len(changes) >= count:
                    break
    return changes


@pytest.mark.parametrize("size", [8_000, 5 * MB - OTHERS])
def test_oversized_change_that_stops_the_stream_is_named(mongo: Mongo, direct_reader: Mongo, fresh: str, size: int) -> None:
    """The error has the command that skips the change. Once skipped, the change is a stub."""
    on_poison = OnPoison(stream="shop", park=False)
    source = MongodbSource(direct_reader, Watch(database=fresh), on_poison=on_poison)
    mongo[fresh].create_collection("c")
    start = source.first()
    mongo[fresh].c.insert_one(heavy_document(size) if size < MB else wide_document(size))
    mongo[fresh].c.insert_one({"_id": "after"})
    with pytest.raises(Undeliverable, match=rf"of {fresh}.*tailer checkpoint skip (\S+) --stream shop") as stopped:
        read_with_restarts(source, start, 1)
    on_poison.skipped = {re.findall(r"checkpoint skip (\S+)", str(stopped.value))[0]}
    stub = read_with_restarts(source, start, 1)[0]
    assert stub.poison is not None


def test_network_failure_is_not_poison() -> None:
    """One closed connection is a failover; three during the same read are a reply that the server cannot send."""
    closed = ClosedConnections()
    assert not any(closed.too_large(AutoReconnect(), position) for position in (1, 1, 2, 1, 1))
    assert closed.too_large(AutoReconnect(), 1)
    for error in (NetworkTimeout(), ServerSelectionTimeoutError(), NotPrimaryError(), CursorNotFound("gone", 43)):
        assert not any(closed.too_large(error, 1) for _ in range(5))
    assert closed.too_large(OperationFailure("BSONObj size", 10334), 7)


def test_unidentified_oversized_change_is_rejected_with_a_remedy(
    mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names what is watched, the time after which the change lies, and how to exclude it."""
    monkeypatch.setattr("tailer.mongodb.events.large_events._TOKEN", re.compile("nothing like this"))
    source = MongodbSource(mongo, Watch(database=fresh))
    mongo[fresh].create_collection("c")
    start = source.first()
    mongo[fresh].c.insert_one(wide_document(5 * MB))
    with pytest.raises(Rejected, match=rf"a change of {fresh}\.\* after 20.*TAILER_PIPELINE.*BSONObj size"):
        read_with_restarts(source, start, 1)
