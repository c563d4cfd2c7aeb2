"""Changes that a server cannot send: each becomes a change with less in it, or a stub, and the stream goes on behind it."""

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
from tailer.mongodb.oversize import ClosedConnections
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.poison.on_poison import OnPoison
from tailrace.wire.change import Change
from tests.tailer.mongodb.test_source import _impatient

__all__ = ["_impatient"]

Mongo = MongoClient[dict[str, Any]]
Documents = Collection[dict[str, Any]]
MB = 1 << 20
OTHERS = 64  # bytes, more than the rest of a document with two fields takes


@pytest.fixture
def mongo(large_mongo: Mongo) -> Mongo:
    return large_mongo


@pytest.fixture
def reader(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mongo]:
    """A client that looks for its server again at once, and not after half a second, whenever a connection is closed."""
    monkeypatch.setattr("pymongo.common.MIN_HEARTBEAT_INTERVAL", 0.01)
    [(host, port)] = mongo.nodes
    with MongoClient[dict[str, Any]](host, port, directConnection=True) as client:
        yield client


def wide(size: int) -> dict[str, Any]:
    """A document with an ``_id`` of this many bytes."""
    return {"_id": "k" * size}


def heavy(size: int) -> dict[str, Any]:
    """As large as a document may be, with an ``_id`` of this many bytes."""
    return {**wide(size), "pad": "x" * (16 * MB - size - OTHERS)}


def written_and_deleted(documents: Documents, size: int) -> None:
    documents.insert_one(wide(size))
    documents.delete_one(wide(size))


def in_a_transaction(documents: Documents) -> None:
    with documents.database.client.start_session() as session, session.start_transaction():
        for one in ({"_id": 1}, wide(5 * MB), {"_id": 2}, {"_id": 3}):
            documents.insert_one(one, session=session)


WRITES: dict[str, tuple[Callable[[Documents], object], str]] = {
    "16 MB, and an _id of 8 kB": (lambda documents: documents.insert_one(heavy(8_000)), "p"),
    "the same of 4 kB: the event fits, the reply does not": (lambda documents: documents.insert_one(heavy(4_000)), "p"),
    "700 kB of _id: a message holds no such key": (lambda documents: documents.insert_one(wide(700_000)), "p"),
    "5 MB of _id: no reply holds the token": (lambda documents: written_and_deleted(documents, 5 * MB), "pp"),
    "between others of one cluster time": (in_a_transaction, ".p.."),
}
"""What is written, and which changes of it are poison."""


@pytest.mark.parametrize("name", WRITES)
def test_the_stream_goes_on_behind_it(mongo: Mongo, reader: Mongo, fresh: str, name: str) -> None:
    """Numbered without a hole, each with the document's namespace and a reason; read again, it is the same."""
    write, expected = WRITES[name]
    mongo[fresh].create_collection("c")
    start = MongodbSource(reader, Watch(database=fresh)).first()
    mongo[fresh].c.insert_one({"_id": "before"})
    write(mongo[fresh].c)
    mongo[fresh].c.insert_one({"_id": "after"})
    changes, again = (seen(MongodbSource(reader, Watch(database=fresh)), start, 2 + len(expected)) for _ in range(2))
    assert [change.sequence for change in changes] == list(range(1, len(changes) + 1))
    assert (changes[0].document, changes[-1].document) == (f"{fresh}.c/before", f"{fresh}.c/after")
    assert "".join("p" if change.poison else "." for change in changes[1:-1]) == expected
    assert all(change.ns.db == fresh and len(change.document) < 400 and len(change.id) < 70_000 for change in changes)
    assert again == changes


def seen(source: MongodbSource, after: Checkpoint, count: int) -> list[Change]:
    """As the tailer reads: opened again at the last position after a failure."""
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
def test_where_poison_stops_the_stream_the_error_names_it(mongo: Mongo, reader: Mongo, fresh: str, size: int) -> None:
    """By what the server still tells, with the command that steps over it; stepped over, it is a stub."""
    on_poison = OnPoison(stream="shop", park=False)
    source = MongodbSource(reader, Watch(database=fresh), on_poison=on_poison)
    mongo[fresh].create_collection("c")
    start = source.first()
    mongo[fresh].c.insert_one(heavy(size) if size < MB else wide(size))
    mongo[fresh].c.insert_one({"_id": "after"})
    with pytest.raises(Undeliverable, match=rf"of {fresh}.*tailer checkpoint skip (\S+) --stream shop") as stopped:
        seen(source, start, 1)
    on_poison.skipped = {re.findall(r"checkpoint skip (\S+)", str(stopped.value))[0]}
    stub = seen(source, start, 1)[0]
    assert stub.poison is not None


def test_a_network_that_fails_is_no_poison() -> None:
    """One closed connection is a fail-over, three over the same read are a reply that the server cannot send."""
    closed = ClosedConnections()
    assert not any(closed.too_large(AutoReconnect(), position) for position in (1, 1, 2, 1, 1))
    assert closed.too_large(AutoReconnect(), 1)
    for error in (NetworkTimeout(), ServerSelectionTimeoutError(), NotPrimaryError(), CursorNotFound("gone", 43)):
        assert not any(closed.too_large(error, 1) for _ in range(5))
    assert closed.too_large(OperationFailure("BSONObj size", 10334), 7)


def test_a_server_that_does_not_tell_which_change_it_is(mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what is watched, behind which time it lies, and how to leave it out."""
    monkeypatch.setattr("tailer.mongodb.oversize._TOKEN", re.compile("nothing like this"))
    source = MongodbSource(mongo, Watch(database=fresh))
    mongo[fresh].create_collection("c")
    start = source.first()
    mongo[fresh].c.insert_one(wide(5 * MB))
    with pytest.raises(Rejected, match=rf"a change of {fresh}\.\* after 20.*TAILER_PIPELINE.*BSONObj size"):
        seen(source, start, 1)
