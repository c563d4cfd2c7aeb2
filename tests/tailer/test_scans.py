"""A task whose server scans history for long stays healthy and visible, keeps its lease, and can be stopped."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from pymongo import MongoClient

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
from tailer.checkpoints.candidate import LeaseCandidate
from tailer.health.health import Health
from tailer.in_memory import MemorySink
from tailer.metrics.prometheus import Metrics
from tailer.model import Record
from tailer.mongodb.connection.client import client, reader
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.ports import Conflict
from tailer.stores.dynamodb import DynamodbCheckpoints
from tailer.stores.memory import MemoryCheckpoints
from tailer.streaming.stream import Stream
from tailer.streaming.task import Task
from tailrace.dev.loopback import get, wait_until
from tailrace.dev.tailer import TailerProcess
from tailrace.wire.change import Namespace

Mongo = MongoClient[dict[str, Any]]

LEASE = 1.0  # seconds
SCAN = 3 * LEASE
TIMEOUT = 20.0  # seconds, for short operations


class ScanningTask:
    """A task on a stream whose server is about to scan, and its observable state."""

    def __init__(self, server: DocumentdbDialect, database: str, sources: tuple[Any, Any]) -> None:
        ordinary, reads = sources
        self.server, self.store, self.queue = server, MemoryCheckpoints(), MemorySink()
        self.source = MongodbSource(ordinary, Watch(database=database, collections=("payments",)), reader=reads)
        self.health = Health(clock=time.monotonic, now=lambda: datetime.now(UTC))
        self.stopping = threading.Event()
        self.metrics = Metrics("payments")
        self.store.write(Record(stream="payments", version=1, checkpoint=self.source.first()))
        stream = Stream(
            name="payments",
            ns=Namespace(db=database),
            source=self.source,
            sink=self.queue,
            candidate=self.candidate("one"),
            metrics=self.metrics,
        )
        task = Task(streams=[stream], stopping=self.stopping, health=self.health)
        self.thread = threading.Thread(target=task.run, daemon=True)

    def candidate(self, owner: str) -> LeaseCandidate:
        return LeaseCandidate(self.store, stream="payments", identity="{}", owner=owner, seconds=LEASE, clock=time.monotonic)

    @property
    def record(self) -> Record:
        record = self.store.read("payments")
        assert record is not None
        return record

    def until(self, seen: Any) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not seen():
            assert self.thread.is_alive()
            assert time.monotonic() < deadline, self.health.state
            time.sleep(0.01)

    @property
    def scanning(self) -> bool:
        return self.health.state.startswith("scanning since 20")


@pytest.fixture
def running(stack: DevStack, fresh: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScanningTask]:
    """A task with limits of half a second instead of minutes."""
    monkeypatch.setattr("tailer.health.progress.SCANNING_AFTER", 0.3)
    monkeypatch.setattr("tailer.health.progress.STALLED_AFTER", 0.8)
    with DocumentdbDialect(stack.mongod.ports[0]) as server, _clients(server.uri) as sources:
        server.enabled = {("", "")}
        running = ScanningTask(server, fresh, sources)
        yield running
        running.stopping.set()
        running.thread.join(TIMEOUT)
        assert not running.thread.is_alive()


@contextmanager
def _clients(uri: str) -> Iterator[tuple[Any, Any]]:
    reads = reader(uri, seconds=60)
    with client(uri, timeouts=(("socketTimeoutMS", 500),)) as ordinary, reads.client:
        yield ordinary, reads


def test_scan_is_healthy_and_visible_and_keeps_the_lease(
    running: ScanningTask, mongo: Mongo, fresh: str, caplog: pytest.LogCaptureFixture
) -> None:
    """For several lease times. A standby waits, and the change arrives once without a reconnect."""
    caplog.set_level(logging.WARNING, "tailer.health.progress")
    mongo[fresh].payments.insert_one({"_id": 1})
    running.server.scan = SCAN
    standby = running.candidate("spare")
    running.thread.start()
    running.until(lambda: running.scanning and running.record.scanning_since)
    assert running.health.state == f"scanning since {running.record.scanning_since}"
    assert running.health.lag() >= 0
    while running.scanning:
        assert running.health.healthy
        assert running.health.ready
        assert running.health.condition == "tailing"
        assert standby.try_acquire() is None
        time.sleep(0.02)
    running.until(lambda: running.queue.accepted and not running.record.scanning_since)
    assert [change.document_key for change in running.queue.accepted] == [{"_id": 1}]
    assert (running.record.owner, running.record.fence) == ("one", 1)
    assert running.metrics.reconnects._value.get() == 0
    assert len(running.server.reads) == 1
    assert [getattr(one, "action", "") for one in caplog.records if one.name == "tailer.health.progress"] == [
        "scanning",
        "scanned",
    ]


def test_lease_lost_in_a_scan_ends_it(running: ScanningTask, mongo: Mongo, fresh: str) -> None:
    """The task notices at once, and sends nothing."""
    mongo[fresh].payments.insert_one({"_id": 1})
    running.server.scan = 60
    running.thread.start()
    running.until(lambda: running.scanning)
    running.until(lambda: _take_lease(running.store))
    running.until(lambda: running.health.state == "standing by")
    assert running.queue.accepted == []
    assert running.record.owner == "another"


def _take_lease(store: MemoryCheckpoints) -> bool:
    """Whether another task has the lease now; its owner may write in between."""
    found = store.read("payments")
    assert found is not None
    with suppress(Conflict):
        store.write(replace(found, version=found.version + 1, owner="another", fence=found.fence + 1, lease_seconds=60))
        return True
    return False


def test_sigterm_ends_a_scanning_task_in_time(stack: DevStack, queue_url: str, fresh: str) -> None:
    """Within 20 s, with its lease released: a real process whose read may take an hour."""
    with DocumentdbDialect(stack.mongod.ports[0]) as server:
        server.enabled = {(fresh, "")}
        server.scan = 3_600
        stack.mongo[fresh].payments.insert_one({"_id": 1})
        environment = stack.environment_of(fresh, mongodb_uri=server.uri, queue_url=queue_url)
        tailer = TailerProcess(stack.workspace, environment, fresh)
        wait_until(lambda: get(tailer.port, "/readyz")[1].startswith("scanning since "), tailer.process, 40)
        assert get(tailer.port, "/healthz")[0] == 200
        assert tailer.stop() == 0
        assert json.loads(tailer.process.log_tail(1))["action"] == "stopped"
    record = DynamodbCheckpoints(stack.aws("dynamodb"), stack.resources.table).read(fresh)
    assert record is not None
    assert record.owner == ""
