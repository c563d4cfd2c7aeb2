"""A long read continues while its server is alive, and a dead server is detected within a stated time."""

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
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.errors import Unavailable
from tailer.model import Batch, Checkpoint
from tailer.mongodb.connection.client import Reader, client, reader
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailrace.dev.loopback import HOST
from tests.faults.tcp_proxy import TcpProxy

Mongo = MongoClient[dict[str, Any]]

ORDINARY = (
    ("socketTimeoutMS", 500),
    ("serverSelectionTimeoutMS", 10_000),
    ("connectTimeoutMS", 5_000),
)  # one sixtieth of the product's timeout, or more
SCAN = 2.0  # seconds: longer than any other command may take here


@pytest.fixture
def server(stack: DevStack) -> Iterator[DocumentdbDialect]:
    with DocumentdbDialect(stack.mongod.ports[0]) as server:
        server.enabled = {("", "")}
        yield server


@contextmanager
def stream_with_read_timeout(uri: str, database: str, seconds: float) -> Iterator[MongodbSource]:
    """A stream whose reads may take this many seconds, while other commands may take half a second."""
    reads = reader(uri, seconds=seconds)
    with client(uri, timeouts=ORDINARY) as ordinary, reads.client:
        yield MongodbSource(ordinary, Watch(database=database, collections=("payments",)), reader=reads)


def next_change(stream_with_read_timeout: MongodbSource, after: Checkpoint) -> Batch:
    with closing(stream_with_read_timeout.batches(after)) as batches:
        return next(batch for batch in batches if batch.changes)


@pytest.mark.parametrize("which", ["opening", "scan"])
def test_scan_longer_than_other_timeouts_succeeds(server: DocumentdbDialect, mongo: Mongo, fresh: str, which: str) -> None:
    """The first read of a resume, and the opening itself: one cursor and one read."""
    with stream_with_read_timeout(f"{server.uri}&socketTimeoutMS=500", fresh, 60) as stream:
        after = stream.first()
        mongo[fresh].payments.insert_one({"_id": 1})
        setattr(server, which, SCAN)
        began = time.monotonic()
        assert [change.document_key for change in next_change(stream, after).changes] == [{"_id": 1}]
        assert time.monotonic() - began >= SCAN
    assert len(server.reads) == 1


def test_scan_longer_than_its_limit_names_the_setting(server: DocumentdbDialect, fresh: str) -> None:
    with stream_with_read_timeout(server.uri, fresh, 1) as stream:
        after, server.scan = stream.first(), 60
        with pytest.raises(Unavailable, match="TAILER_SCAN_SECONDS"):
            next_change(stream, after)


def test_read_is_outstanding_only_while_the_server_owes_a_reply(server: DocumentdbDialect, mongo: Mongo, fresh: str) -> None:
    """Not before it is sent, and not while the server cannot be reached."""
    with stream_with_read_timeout(server.uri, fresh, 60) as stream:
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
    with stream_with_read_timeout(nobody, fresh, 60) as stream:
        reading = threading.Thread(target=_expect_unavailable, args=(stream, after), daemon=True)
        reading.start()
        while reading.is_alive():
            assert stream.outstanding() is None
            time.sleep(0.01)


def _expect_unavailable(stream: MongodbSource, after: Checkpoint) -> None:
    with pytest.raises(Unavailable):
        next_change(stream, after)


@pytest.mark.parametrize("monitoring", ["poll", "stream"])
def test_dead_server_ends_a_read_long_before_its_limit(
    stack: DevStack, fresh: str, monkeypatch: pytest.MonkeyPatch, monitoring: str
) -> None:
    """Heartbeat and connection timeout, half a second each here, bound it. The read itself may take an hour."""
    monkeypatch.setattr("tailer.mongodb.cursor._MORE", {"batchSize": 5000, "maxTimeMS": 600_000})
    quick = f"heartbeatFrequencyMS=500&connectTimeoutMS=500&serverMonitoringMode={monitoring}"
    with TcpProxy([stack.mongod.ports[0]], b"tailrace") as network:
        uri = f"mongodb://{HOST}:{network.ports[0]}/?directConnection=true&{quick}"
        with stream_with_read_timeout(uri, fresh, 3_600) as stream:
            after, ended = stream.first(), threading.Event()

            def read() -> None:
                _expect_unavailable(stream, after)
                ended.set()

            threading.Thread(target=read, daemon=True).start()
            while (stream.outstanding() or 0.0) < 0.2:
                time.sleep(0.01)
            network.silent = True
            assert ended.wait(8)
            network.calm()


def test_dead_connection_is_detected_by_keepalive(stack: DevStack, fresh: str) -> None:
    """120 s idle, then nine probes of 10 s: the sockets have the documented limits."""
    port = stack.mongod.ports[0]
    of_other_tests = _sockets(port)
    uri = f"mongodb://{HOST}:{port}/?directConnection=true"
    with stream_with_read_timeout(uri, fresh, 3_600) as stream, closing(stream.batches(stream.first())) as batches:
        next(batches)
        opened = [one for one in _sockets(port) if one not in of_other_tests]
        assert opened
        for one in opened:
            assert one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            idle, interval, count = (
                one.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )
            assert idle + interval * count <= 210


def _sockets(port: int) -> list[socket.socket]:
    """Return the sockets of this process that are connected to the port."""
    found = []
    for one in gc.get_objects():
        if type(one) is socket.socket and one.fileno() >= 0 and one.family == socket.AF_INET:
            try:
                if one.getpeername()[1] == port:
                    found.append(one)
            except OSError:
                continue
    return found


def test_read_can_be_interrupted(mongo: Mongo, stack: DevStack, fresh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that was closed leaves no read of an hour on the server."""
    monkeypatch.setattr("tailer.mongodb.cursor._MORE", {"batchSize": 5000, "maxTimeMS": 600_000})
    with stream_with_read_timeout(stack.mongodb_uri, fresh, 3_600) as stream:
        after = stream.first()
        reading = threading.Thread(target=_expect_unavailable, args=(stream, after), daemon=True)
        reading.start()
        while (stream.outstanding() or 0.0) < 0.2 or not _reads(mongo, fresh):
            _write_unrelated_entry(mongo)
        assert reading.is_alive()
        stream.interrupt()
        while reading.is_alive():
            _write_unrelated_entry(mongo)
    assert _reads(mongo, fresh) == []


def _write_unrelated_entry(mongo: Mongo) -> None:
    """Write an oplog entry that does not match: a waiting server notices an interrupt only then."""
    mongo.admin.command("appendOplogNote", data={"time": "goes on"})
    time.sleep(0.01)


def _reads(mongo: Mongo, database: str) -> list[Any]:
    running = mongo.admin.aggregate([{"$currentOp": {}}, {"$match": {"op": "getmore", "ns": {"$regex": f"^{database}\\."}}}])
    return list(running)


def test_reader_timeout_comes_from_the_setting_and_not_from_the_uri() -> None:
    """``socketTimeoutMS`` applies to every other command. Other timeouts of the URI apply to both."""
    for uri, connect in (("mongodb://host/", 20.0), ("mongodb://host/?socketTimeoutMS=9000&connectTimeoutMS=7000", 7.0)):
        one: Reader = reader(uri, seconds=1_800)
        with one.client as reads, client(uri) as ordinary:
            assert (reads.options.pool_options.socket_timeout, reads.options.pool_options.connect_timeout) == (1_800, connect)
            assert ordinary.options.pool_options.socket_timeout == (9 if "socketTimeoutMS" in uri else 60)


def test_nothing_is_outstanding_after_a_failed_command(mongo: Mongo, server: DocumentdbDialect, fresh: str) -> None:
    """The reply of a monitored command stays raw BSON."""
    with stream_with_read_timeout(server.uri, fresh, 60) as stream:
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
