"""A read that takes long is waited for while its server lives; a server that is gone is noticed within a stated time."""

import gc
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from devstack import DevStack
from devstack.loopback import HOST
from tailer.errors import Unavailable
from tailer.model import Batch, Checkpoint
from tailer.mongodb.client import client
from tailer.mongodb.reads import Reader, reader
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tests.documentdb import DocumentdbDialect
from tests.faults.tcp_proxy import TcpProxy

Mongo = MongoClient[dict[str, Any]]

ORDINARY = {"socketTimeoutMS": 500, "serverSelectionTimeoutMS": 10_000, "connectTimeoutMS": 5_000}  # a sixtieth or more of ours
SCAN = 2.0  # seconds: longer than any other command may take here


@pytest.fixture
def server(stack: DevStack) -> Iterator[DocumentdbDialect]:
    with DocumentdbDialect(stack.mongod.ports[0]) as server:
        yield server


@contextmanager
def source(uri: str, database: str, seconds: float) -> Iterator[MongodbSource]:
    """A stream whose reads may take so long, and nothing else longer than half a second."""
    reads = reader(uri, seconds=seconds)
    with client(uri, timeouts=ORDINARY) as ordinary, reads.client:
        yield MongodbSource(ordinary, Watch(database=database, collections=("payments",)), reader=reads)


def next_change(source: MongodbSource, after: Checkpoint) -> Batch:
    with closing(source.batches(after)) as batches:
        return next(batch for batch in batches if batch.changes)


@pytest.mark.parametrize("which", ["opening", "scan"])
def test_a_scan_longer_than_any_other_command_may_take_ends_well(
    server: DocumentdbDialect, mongo: Mongo, fresh: str, which: str
) -> None:
    """The first read of a resume, and the opening itself: one cursor, one read, no start over."""
    with source(f"{server.uri}&socketTimeoutMS=500", fresh, 60) as stream:
        after = stream.first()
        mongo[fresh].payments.insert_one({"_id": 1})
        setattr(server, which, SCAN)
        began = time.monotonic()
        assert [change.document_key for change in next_change(stream, after).changes] == [{"_id": 1}]
        assert time.monotonic() - began >= SCAN
    assert len(server.reads) == 1


def test_a_scan_that_takes_longer_than_it_may_names_the_setting(server: DocumentdbDialect, fresh: str) -> None:
    """Any other timeout does not."""
    with source(server.uri, fresh, 1) as stream:
        after, server.scan = stream.first(), 60
        with pytest.raises(Unavailable, match="TAILER_SCAN_SECONDS"):
            next_change(stream, after)


def test_a_read_is_outstanding_while_its_server_owes_the_reply(server: DocumentdbDialect, mongo: Mongo, fresh: str) -> None:
    """Neither before it is sent nor while nobody accepts a connection: a server that cannot be reached does not scan."""
    with source(server.uri, fresh, 60) as stream:
        after, server.scan = stream.first(), SCAN
        mongo[fresh].payments.insert_one({"_id": 1})
        assert stream.outstanding() is None
        reading = threading.Thread(target=next_change, args=(stream, after), daemon=True)
        reading.start()
        while (stream.outstanding() or 0.0) < SCAN / 2:
            assert reading.is_alive()
            time.sleep(0.01)
        reading.join(20)
        assert stream.outstanding() is None
    nobody = f"mongodb://{HOST}:1/?directConnection=true&serverSelectionTimeoutMS=300"
    with source(nobody, fresh, 60) as stream:
        reading = threading.Thread(target=_fails, args=(stream, after), daemon=True)
        reading.start()
        while reading.is_alive():
            assert stream.outstanding() is None
            time.sleep(0.01)


def _fails(stream: MongodbSource, after: Checkpoint) -> None:
    with pytest.raises(Unavailable):
        next_change(stream, after)


@pytest.mark.parametrize("monitoring", ["poll", "stream"])
def test_a_server_that_is_gone_without_a_word_ends_a_read_long_before_its_limit(
    stack: DevStack, fresh: str, monkeypatch: pytest.MonkeyPatch, monitoring: str
) -> None:
    """Heartbeat and connection timeout, half a second each here, bound it; the read itself could take an hour."""
    monkeypatch.setattr("tailer.mongodb.cursor._MORE", {"batchSize": 5000, "maxTimeMS": 600_000})
    quick = f"heartbeatFrequencyMS=500&connectTimeoutMS=500&serverMonitoringMode={monitoring}"
    with TcpProxy([stack.mongod.ports[0]], b"tailrace") as network:
        uri = f"mongodb://{HOST}:{network.ports[0]}/?directConnection=true&{quick}"
        with source(uri, fresh, 3_600) as stream:
            after, ended = stream.first(), threading.Event()

            def read() -> None:
                _fails(stream, after)
                ended.set()

            threading.Thread(target=read, daemon=True).start()
            while (stream.outstanding() or 0.0) < 0.2:
                time.sleep(0.01)
            network.silent = True
            assert ended.wait(8)
            network.calm()


def test_a_connection_that_alone_is_dead_is_found_by_keepalive(stack: DevStack, fresh: str) -> None:
    """120 s of silence, then nine probes of 10 s: the bound that the documents state is what its socket says."""
    uri = f"mongodb://{HOST}:{stack.mongod.ports[0]}/?directConnection=true"
    with source(uri, fresh, 3_600) as stream, closing(stream.batches(stream.first())) as batches:
        next(batches)
        for one in _sockets(stack.mongod.ports[0]):
            assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            idle, interval, count = (
                one.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )
            assert idle + interval * count <= 210


def _sockets(port: int) -> list[socket.socket]:
    """Those of this process that lead there."""
    found = []
    for one in gc.get_objects():
        if type(one) is socket.socket and one.fileno() >= 0 and one.family == socket.AF_INET:
            try:
                if one.getpeername()[1] == port:
                    found.append(one)
            except OSError:
                continue
    assert found
    return found


def test_a_read_can_be_interrupted(mongo: Mongo, stack: DevStack, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever let go of the stream does not leave a read there that takes an hour."""
    monkeypatch.setattr("tailer.mongodb.cursor._MORE", {"batchSize": 5000, "maxTimeMS": 600_000})
    with source(stack.mongodb_uri, fresh, 3_600) as stream:
        after = stream.first()
        reading = threading.Thread(target=_fails, args=(stream, after), daemon=True)
        reading.start()
        while (stream.outstanding() or 0.0) < 0.2 or not _reads(mongo, fresh):
            _look_at_something_else(mongo)
        assert reading.is_alive()
        stream.interrupt()
        while reading.is_alive():
            _look_at_something_else(mongo)
    assert _reads(mongo, fresh) == []


def _look_at_something_else(mongo: Mongo) -> None:
    """An entry that does not match: a server that waits for one notices only then that it was interrupted."""
    mongo.admin.command("appendOplogNote", data={"time": "goes on"})
    time.sleep(0.01)


def _reads(mongo: Mongo, database: str) -> list[Any]:
    running = mongo.admin.aggregate([{"$currentOp": {}}, {"$match": {"op": "getmore", "ns": {"$regex": f"^{database}\\."}}}])
    return list(running)


def test_the_reader_waits_as_long_as_the_setting_says_whatever_the_uri_does() -> None:
    """A ``socketTimeoutMS`` there is for every other command; its other timeouts hold."""
    for uri, connect in (("mongodb://host/", 20.0), ("mongodb://host/?socketTimeoutMS=9000&connectTimeoutMS=7000", 7.0)):
        one: Reader = reader(uri, seconds=1_800)
        with one.client as reads, client(uri) as ordinary:
            assert (reads.options.pool_options.socket_timeout, reads.options.pool_options.connect_timeout) == (1_800, connect)
            assert ordinary.options.pool_options.socket_timeout == (9 if "socketTimeoutMS" in uri else 60)


def test_nothing_is_outstanding_after_a_command_that_failed(mongo: Mongo, server: DocumentdbDialect, fresh: str) -> None:
    """Nor is the reply itself changed by being watched for: raw as ever."""
    with source(server.uri, fresh, 60) as stream:
        after = stream.first()
        mongo[fresh].payments.insert_one({"_id": 1})
        with closing(stream.batches(after)) as batches:
            next(batches)
            cursor = stream._open
            assert cursor
            assert isinstance(cursor._command({"ping": 1}), RawBSONDocument)
            mongo[fresh].command({"killCursors": cursor._collection, "cursors": [cursor._id]})
            with pytest.raises(Unavailable):
                list(batches)
        assert stream.outstanding() is None
