"""The loop on a real change stream and a real queue: killed after any step, it loses and reorders nothing."""

import dataclasses
import itertools
import math
import re
import threading
import time
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from pymongo import MongoClient

from devstack import DevStack
from tailer.aws.lanes import lanes
from tailer.aws.sqs_sink import SqsSink
from tailer.checkpoints.candidate import LeaseCandidate
from tailer.checkpoints.lease import Lease
from tailer.cluster import Cluster
from tailer.errors import HistoryLost, LeaseLost, Misconfigured, Rejected, TailerError, Unavailable
from tailer.health.health import Health
from tailer.metrics.prometheus import Metrics
from tailer.model import At, Batch, Checkpoint, Gap, Record
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.ports import CheckpointStore, Sink, Source
from tailer.read_limits import ReadLimits
from tailer.stores.dynamodb import DynamodbCheckpoints
from tailer.stores.memory import MemoryCheckpoints
from tailer.streaming.stream import Stream
from tailer.streaming.task import Task
from tailer.times import seconds
from tailrace.wire.change import Change, Namespace
from tests.queue import received

Mongo = MongoClient[dict[str, Any]]


class Crash(BaseException):
    """The process is dead: no handler may catch this and clean up."""


class CrashTimer:
    """Raise Crash after a number of steps of the loop."""

    def __init__(self, steps: float = math.inf) -> None:
        self.left = steps

    def step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Crash


class WrappedSource:
    """A source that passes everything on to another one. A subclass changes ``batches``."""

    def __init__(self, source: Source) -> None:
        self.first, self.oldest = source.first, source.oldest
        self.outstanding, self.interrupt = source.outstanding, source.interrupt
        self._source = source

    def batches(self, after: Checkpoint, limits: ReadLimits) -> Generator[Batch]:
        yield from self._source.batches(after, limits)


class CrashingSource(WrappedSource):
    def __init__(self, source: Source, fuse: CrashTimer) -> None:
        super().__init__(source)
        self._fuse = fuse

    def batches(self, after: Checkpoint, limits: ReadLimits) -> Generator[Batch]:
        for batch in self._source.batches(after, limits):
            self._fuse.step()
            yield batch


class CrashingSink:
    def __init__(self, sink: Sink, fuse: CrashTimer) -> None:
        self._sink, self._fuse = sink, fuse

    def send(self, changes: Sequence[Change], generation: int, packed: Callable[[], object] = lambda: None) -> None:
        self._fuse.step()
        self._sink.send(changes, generation, packed)
        self._fuse.step()


class CrashingStore:
    """
    Nothing is written after the crash, not even by the exit of a context manager. The thread that renews the lease ends with
    its process: its write reports that the lease is lost.
    """

    def __init__(self, store: MemoryCheckpoints, fuse: CrashTimer) -> None:
        self.read = store.read
        self._store, self._fuse = store, fuse
        self._loop = threading.current_thread()

    def write(self, record: Record) -> None:
        if threading.current_thread() is self._loop:
            self._fuse.step()
            self._store.write(record)
            self._fuse.step()
        elif self._fuse.left > 0:  # A renewal is no step of the loop.
            self._store.write(record)
        else:
            raise LeaseLost("this process is gone")


class TaskFactory:
    """Tasks on one stream, one queue and one store, each as its own owner."""

    def __init__(self, stack: DevStack, database: str, queue_url: str) -> None:
        self.stack, self.queue_url = stack, queue_url
        self.source: Source = MongodbSource(stack.mongo, Watch(database=database))
        self.store = MemoryCheckpoints()
        self.stopping = threading.Event()
        self._owners = itertools.count(1)

    def task(self, fuse: CrashTimer | None = None, source: Source | None = None) -> Task:
        fuse = fuse or CrashTimer()
        return Task(
            streams=[self.stream(fuse, source)],
            stopping=self.stopping,
            health=Health(clock=time.monotonic, now=lambda: datetime.now(UTC)),
        )

    def stream(self, fuse: CrashTimer, source: Source | None = None, name: str = "payments") -> Stream:
        metrics = Metrics(name)
        sink = SqsSink(
            self.stack.aws("sqs"),
            self.queue_url,
            stream=name,
            lane_of=lanes(4, "document"),
            metrics=metrics,
            stopping=self.stopping,
            clock=time.monotonic,
        )
        return Stream(
            name=name,
            ns=Namespace(db="payments"),
            source=CrashingSource(source or self.source, fuse),
            sink=CrashingSink(sink, fuse),
            candidate=self.candidate(CrashingStore(self.store, fuse), name),
            metrics=metrics,
        )

    def candidate(self, store: CheckpointStore | None = None, stream: str = "payments", **given: Any) -> LeaseCandidate:
        """Another owner, with a lease of a second."""
        wanted: dict[str, Any] = {
            "identity": "{}",
            "owner": f"task {next(self._owners)}",
            "seconds": 1,
            "clock": time.monotonic,
        }
        return LeaseCandidate(store or self.store, stream=stream, **(wanted | given))

    def received(self) -> Sequence[Change]:
        return received(self.stack, self.queue_url)

    def run_until_sequence(self, sequence: int, task: Task, stream: str = "payments") -> None:
        """Run, and stop cleanly once the checkpoint has this sequence."""
        threading.Thread(target=self._stop_at, args=(sequence, stream), daemon=True).start()
        task.run()

    def _stop_at(self, sequence: int, stream: str) -> None:
        while not self.stopping.wait(0.01):
            record = self.store.read(stream)
            if record and record.checkpoint and record.checkpoint.sequence >= sequence:
                self.stopping.set()


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailer.mongodb.cursor._MORE", {"batchSize": 3, "maxTimeMS": 50})
    monkeypatch.setattr("tailer.checkpoints.lease._SAVE_EVERY", 0.0)
    monkeypatch.setattr("tailer.streaming.task.LEASE_CHECK_INTERVAL", 0.05)
    monkeypatch.setattr("tailer.streaming.retry.PAUSE", 0.01)


@pytest.fixture
def rig(stack: DevStack, fresh: str, queue_url: str) -> TaskFactory:
    return TaskFactory(stack, fresh, queue_url)


def assert_complete_and_in_order(changes: Sequence[Change], count: int) -> None:
    """
    Every sequence from one to count is there, first deliveries of each document are in order, and every repeat has the same id.
    """
    first: dict[int, Change] = {}
    for change in changes:
        known = first.setdefault(change.sequence, change)
        assert known.id == change.id
    assert sorted(first) == list(range(1, count + 1))
    for document in {change.document for change in changes}:
        order = [sequence for sequence, change in first.items() if change.document == document]
        assert order == sorted(order)


@pytest.mark.parametrize("steps", range(1, 26))
def test_crash_after_any_step_loses_nothing(rig: TaskFactory, mongo: Mongo, fresh: str, steps: int) -> None:
    """The next task delivers the rest, in order, from the stored checkpoint."""
    rig.store.write(Record(stream="payments", version=1, checkpoint=rig.source.first()))
    for number in range(10):
        mongo[fresh].payments.update_one({"_id": number % 3}, {"$set": {"n": number}}, upsert=True)
    with pytest.raises(Crash):
        rig.task(CrashTimer(steps)).run()
    rig.run_until_sequence(10, rig.task())
    assert_complete_and_in_order(rig.received(), 10)


def test_first_start_is_remembered_after_a_crash(rig: TaskFactory, mongo: Mongo, fresh: str) -> None:
    """The next task starts at the first position and not at its own now."""
    with pytest.raises(Crash):
        rig.task(CrashTimer(5)).run()
    mongo[fresh].payments.insert_one({"_id": 1})
    rig.run_until_sequence(1, rig.task())
    assert_complete_and_in_order(rig.received(), 1)


def test_start_without_a_checkpoint_logs_a_warning_and_the_remedy(
    rig: TaskFactory, mongo: Mongo, fresh: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An empty store looks like a new stream. Each task logs its position when it ends."""
    caplog.set_level("INFO", logger="tailer")
    for _ in range(2):
        rig.stopping.clear()
        mongo[fresh].payments.insert_one({})
        task, before = rig.task(), rig.store.read("payments")
        rig.run_until_sequence(before.checkpoint.sequence + 1 if before and before.checkpoint else 0, task)
    [warning] = [record for record in caplog.records if getattr(record, "action", "") == "first_start"]
    assert warning.levelname == "WARNING"
    started = re.search(r"at (\S+Z)", warning.getMessage())
    assert started
    assert "tailer checkpoint rewind --stream payments --to TIME" in warning.getMessage()
    released = [vars(record)["deliveredUpTo"] for record in caplog.records if getattr(record, "action", "") == "released"]
    assert len(released) == 2
    assert all(time >= started[1] for time in released)


class LossyStore:
    """A store that fails the first few writes with a checkpoint. The very first is written, but its response is lost."""

    def __init__(self, store: MemoryCheckpoints, *, lost: bool) -> None:
        self.read = store.read
        self.offered: list[Checkpoint] = []
        self._store, self._lost = store, lost

    def write(self, record: Record) -> None:
        if record.checkpoint:
            self.offered.append(record.checkpoint)
        failing = 0 < len(self.offered) <= 3
        if not failing or (self._lost and len(self.offered) == 1):
            self._store.write(record)
        if failing:
            raise Unavailable("the store does not answer")


@pytest.mark.parametrize("lost", [False, True])
def test_nothing_is_sent_before_the_first_checkpoint_is_durable(
    rig: TaskFactory, mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    """
    Another owner would start at its own now. The position of the first attempt holds, so changes since then are delivered.
    """
    store, stream = LossyStore(rig.store, lost=lost), rig.stream(CrashTimer())
    held: list[Checkpoint | None] = []
    send = stream.sink.send

    def first() -> Checkpoint:
        position = rig.source.first()
        mongo[fresh].payments.insert_one({"_id": len(held)})
        return position

    def sent(changes: Sequence[Change], generation: int, *_: object) -> None:
        held.append(rig.store.read("payments").checkpoint)  # type: ignore[union-attr]
        send(changes, generation)

    monkeypatch.setattr(stream.sink, "send", sent)
    monkeypatch.setattr(stream.source, "first", first)
    candidate = rig.candidate(store, seconds=5)
    task = Task(streams=[dataclasses.replace(stream, candidate=candidate)], stopping=rig.stopping, health=rig.task().health)
    rig.run_until_sequence(1, task)
    assert_complete_and_in_order(rig.received(), 1)
    assert len(store.offered) > 3
    assert store.offered[0] == held[0]


class CountingSource(WrappedSource):
    """A source that counts how often it is opened."""

    times = 0

    def batches(self, after: Checkpoint, limits: ReadLimits) -> Generator[Batch]:
        self.times += 1
        yield from self._source.batches(after, limits)


class ThrottledStore:
    """A store that refuses this many writes after it accepted that many."""

    def __init__(self, store: MemoryCheckpoints, after: int, refusals: int) -> None:
        self.read = store.read
        self._store, self._left, self.refusals = store, after, refusals

    def write(self, record: Record) -> None:
        self._left -= 1
        if self._left < 0 < self.refusals:
            self.refusals -= 1
            raise Unavailable("the table is throttled")
        self._store.write(record)


@pytest.mark.parametrize("after", [1, 2, 3, 5])
def test_throttled_store_does_not_close_the_stream(
    rig: TaskFactory, mongo: Mongo, fresh: str, caplog: pytest.LogCaptureFixture, after: int
) -> None:
    """Whichever write is refused: the change stream is opened once and nothing is repeated."""
    source, store = CountingSource(rig.source), ThrottledStore(rig.store, after, refusals=4)
    candidate = rig.candidate(store, seconds=5)
    task = Task(
        streams=[dataclasses.replace(rig.stream(CrashTimer()), source=source, candidate=candidate)],
        stopping=rig.stopping,
        health=rig.task().health,
    )
    start = source.first()
    source.first = lambda: start
    mongo[fresh].payments.insert_many([{"_id": number} for number in range(12)])
    rig.run_until_sequence(12, task)
    assert (source.times, store.refusals) == (1, 0)
    changes = rig.received()
    assert [len(changes), len({change.id for change in changes})] == [12, 12]
    said = [getattr(one, "action", "") for one in caplog.records]
    assert (said.count("not_saved"), said.count("saved_again")) == (1, 1)


def test_task_that_cannot_save_is_not_ready(rig: TaskFactory, mongo: Mongo, fresh: str) -> None:
    """It continues to tail, and is ready again once the store accepts the checkpoint."""
    store = ThrottledStore(rig.store, 3, refusals=10**9)
    candidate = rig.candidate(store, seconds=60)
    task = Task(
        streams=[dataclasses.replace(rig.stream(CrashTimer()), candidate=candidate)],
        stopping=rig.stopping,
        health=rig.task().health,
    )
    seen: list[tuple[str, bool]] = []

    def look() -> None:
        number = 0
        while not task.health.save_failure():
            number += 1
            mongo[fresh].payments.insert_one({"_id": number})
        seen.append((task.health.save_failure(), task.health.ready))
        store.refusals = 0
        while not task.health.ready:
            number += 1
            mongo[fresh].payments.insert_one({"_id": number})
        seen.append((task.health.save_failure(), task.health.ready))
        rig.stopping.set()

    threading.Thread(target=look, daemon=True).start()
    task.run()
    assert seen == [("the table is throttled", False), ("", True)]


class FlakySource(WrappedSource):
    """A source that fails after every batch with changes."""

    failures = 0

    def batches(self, after: Checkpoint, limits: ReadLimits) -> Generator[Batch]:
        for batch in self._source.batches(after, limits):
            yield batch
            if batch.changes:
                self.failures += 1
                raise Unavailable("the primary stepped down")


def test_stream_resumes_from_its_checkpoint_after_an_outage(rig: TaskFactory, mongo: Mongo, fresh: str) -> None:
    """However often the source fails, without a repeat."""
    flaky = FlakySource(rig.source)
    rig.store.write(Record(stream="payments", version=1, checkpoint=rig.source.first()))
    mongo[fresh].payments.insert_many([{"_id": number} for number in range(9)])
    rig.run_until_sequence(9, rig.task(source=flaky))
    assert flaky.failures >= 3
    changes = rig.received()
    assert [len(changes), len({change.id for change in changes})] == [9, 9]


class RejectedSource(WrappedSource):
    """A source with a change that can never be delivered."""

    def batches(self, after: Checkpoint, limits: ReadLimits) -> Generator[Batch]:
        for batch in self._source.batches(after, limits):
            yield batch
            if batch.changes:
                raise Rejected("the update of payments.payments/7 is larger than the server can deliver")


def test_rejected_change_stops_the_task_and_releases_the_lease(rig: TaskFactory, mongo: Mongo, fresh: str) -> None:
    """Changes before it are saved as delivered, and none after it is sent."""
    rig.store.write(Record(stream="payments", version=1, checkpoint=rig.source.first()))
    mongo[fresh].payments.insert_many([{"_id": number} for number in range(5)])
    with pytest.raises(Rejected, match="payments/7"):
        rig.task(source=RejectedSource(rig.source)).run()
    record = rig.store.read("payments")
    assert record is not None
    assert (record.owner, record.problem_code) == ("", 4)
    assert record.checkpoint is not None
    assert record.checkpoint.sequence == len(rig.received()) == 3


def test_standby_takes_over_at_once_after_a_clean_stop(rig: TaskFactory, mongo: Mongo, fresh: str) -> None:
    """It continues where the first task ended."""
    rig.store.write(Record(stream="payments", version=1, checkpoint=rig.source.first()))
    mongo[fresh].payments.insert_one({"_id": 1})
    rig.run_until_sequence(1, rig.task())
    rig.stopping.clear()
    mongo[fresh].payments.insert_one({"_id": 2})
    rig.run_until_sequence(2, rig.task())
    changes = rig.received()
    assert [change.sequence for change in changes] == [1, 2]


def test_standby_stops_on_request(rig: TaskFactory) -> None:
    rig.store.write(Record(stream="payments", version=1, owner="somebody", lease_seconds=3600))
    task = rig.task()
    threading.Timer(0.2, rig.stopping.set).start()
    task.run()
    assert task.health.state == "standing by"
    assert rig.store.read("payments").owner == "somebody"  # type: ignore[union-attr]


class UnopenableSource(WrappedSource):
    """A source that has a position but cannot be opened."""

    def __init__(self, source: Source, error: TailerError) -> None:
        super().__init__(source)
        self._error = error

    def batches(self, after: Checkpoint, limits: ReadLimits) -> Generator[Batch]:
        raise self._error
        yield


@pytest.mark.parametrize("error", [Misconfigured("TAILER_PIPELINE"), Rejected("too large"), HistoryLost("code 286")])
def test_first_start_that_cannot_open_leaves_no_checkpoint(
    rig: TaskFactory, mongo: Mongo, fresh: str, error: TailerError
) -> None:
    """The next start, with corrected settings, is the first one."""
    with pytest.raises(type(error), match="TAILER_START" if isinstance(error, HistoryLost) else str(error)):
        rig.task(source=UnopenableSource(rig.source, error)).run()
    record = rig.store.read("payments")
    assert record is not None
    assert (record.checkpoint, record.owner) == (None, "")
    corrected = dataclasses.replace(rig.stream(CrashTimer()), candidate=rig.candidate(identity='{"lanes":4}'))
    mongo[fresh].payments.insert_one({"_id": 1})
    start = rig.source.first()
    corrected.source.first = lambda: replace(start, position=At(f"{seconds(str(start.reached)) - 1}.1"))  # type: ignore[method-assign]
    rig.run_until_sequence(1, Task(streams=[corrected], stopping=rig.stopping, health=rig.task().health))
    assert rig.store.read("payments").identity == '{"lanes":4}'  # type: ignore[union-attr]


def test_first_start_that_waits_to_open_keeps_its_position(rig: TaskFactory, mongo: Mongo, fresh: str) -> None:
    """Changes committed between two attempts are delivered."""

    class Late(CountingSource):
        def batches(self, after: Checkpoint, limits: ReadLimits) -> Generator[Batch]:
            self.times += 1
            if self.times <= 2:
                assert rig.store.read("payments").checkpoint is None  # type: ignore[union-attr]
                mongo[fresh].payments.insert_one({"_id": self.times})
                raise Unavailable("no primary")
            yield from self._source.batches(after, limits)

    rig.run_until_sequence(2, rig.task(source=Late(rig.source)))
    assert_complete_and_in_order(rig.received(), 2)


HERE = Cluster(kind="replica set", name="rs0", id="6b0a", hosts=("a:27017", "b:27017"))


def test_stream_is_not_reopened_on_another_cluster(rig: TaskFactory, mongo: Mongo, fresh: str) -> None:
    """The host name may resolve to another cluster. Delivered changes are saved, and nothing more is sent."""
    rig.store.write(Record(stream="payments", version=1, checkpoint=rig.source.first(), cluster=HERE))
    mongo[fresh].payments.insert_many([{"_id": number} for number in range(9)])
    flaky = FlakySource(rig.source)

    def cluster() -> Cluster:
        return replace(HERE, id="7c1b", hosts=("a:27017", "b:27017")) if flaky.failures else HERE

    task = rig.task(source=flaky)
    task = dataclasses.replace(task, streams=[dataclasses.replace(task.streams[0], cluster=cluster)])
    with pytest.raises(Misconfigured, match=r"belongs to the .*6b0a.* points to the .*7c1b.*accept-cluster"):
        task.run()
    record = rig.store.read("payments")
    assert record is not None
    assert "accept-cluster" in record.problem
    assert record.checkpoint is not None
    assert record.checkpoint.sequence == len(rig.received()) == 3
    assert record.cluster == HERE


def test_recorded_cluster_is_kept_up_to_date(
    rig: TaskFactory, mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All members may be replaced one by one. A failed read of the facts stops nothing."""
    monkeypatch.setattr("tailer.streaming.runner.RECOGNISE_EVERY", 0.0)
    numbers = itertools.count()

    def cluster() -> Cluster:
        number = next(numbers)
        if number % 3 == 2:
            raise Unavailable("no primary")
        return Cluster(name="rs0", hosts=(f"member{number // 3}:1", f"member{number // 3 + 1}:1"))

    start = rig.source.first()
    mongo[fresh].payments.insert_many([{"_id": number} for number in range(30)])
    rig.store.write(Record(stream="payments", version=1, checkpoint=start))
    task = rig.task()
    task = dataclasses.replace(task, streams=[dataclasses.replace(task.streams[0], cluster=cluster)])
    rig.run_until_sequence(30, task)
    record = rig.store.read("payments")
    assert record is not None
    assert record.cluster is not None
    assert record.cluster.hosts > ("member2:1",)
    assert_complete_and_in_order(rig.received(), 30)


def test_stream_with_lost_history_does_not_stop_the_others(rig: TaskFactory, mongo: Mongo, fresh: str) -> None:
    """The task records the problem, reports it as a metric, and continues with its other streams."""
    position = rig.source.first()
    for name in ("lost", "payments"):
        rig.store.write(Record(stream=name, version=1, checkpoint=position))
    lost, good = (
        rig.stream(CrashTimer(), UnopenableSource(rig.source, HistoryLost("code 286")), "lost"),
        rig.stream(CrashTimer()),
    )
    task = Task(streams=[lost, good], stopping=rig.stopping, health=rig.task().health)
    mongo[fresh].payments.insert_one({"_id": 1})
    rig.run_until_sequence(1, task)
    assert_complete_and_in_order(rig.received(), 1)
    record = rig.store.read("lost")
    assert record is not None
    assert (record.owner, record.checkpoint) == ("", position)
    assert "accept-gap" in record.problem
    assert record.problem_code == 3
    assert 'tailrace_stopped{stream="lost"} 1.0' in lost.metrics.families.text().decode()


def test_stopped_stream_is_resumed_after_a_decision(rig: TaskFactory, mongo: Mongo, fresh: str) -> None:
    """A standby reads the record of its stopped stream: no restart is needed after accept-gap or rewind."""
    position = rig.source.first()
    for name in ("lost", "taken"):
        rig.store.write(
            Record(stream=name, version=1, checkpoint=position, owner="" if name == "lost" else "x", lease_seconds=3600)
        )
    source = UnopenableSource(rig.source, HistoryLost("code 286"))
    lost = rig.stream(CrashTimer(), source, "lost")
    task = Task(streams=[lost, rig.stream(CrashTimer(), name="taken")], stopping=rig.stopping, health=rig.task().health)

    def decide() -> None:
        while not (record := rig.store.read("lost")) or not record.problem or record.owner:
            time.sleep(0.01)
        source.batches = rig.source.batches  # type: ignore[method-assign]
        rig.store.write(replace(record, version=record.version + 1, problem=""))

    threading.Thread(target=decide, daemon=True).start()
    mongo[fresh].payments.insert_one({"_id": 1})
    rig.run_until_sequence(1, task, "lost")
    assert_complete_and_in_order(rig.received(), 1)
    assert task.health.given_up == {}


def test_unreadable_record_of_a_stopped_stream_does_not_stop_others(
    rig: TaskFactory, mongo: Mongo, fresh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The standby retries to read it and works for its other streams."""
    position = rig.source.first()
    held = Record(stream="payments", version=1, checkpoint=position, owner="x", lease_seconds=3600)
    rig.store.write(Record(stream="lost", version=1, checkpoint=position))
    rig.store.write(held)
    lost, asked = rig.stream(CrashTimer(), UnopenableSource(rig.source, HistoryLost("code 286")), "lost"), threading.Event()

    def denied() -> str:
        if not asked.is_set():
            asked.set()
            rig.store.write(replace(held, version=2, owner=""))
        raise Misconfigured("TAILER_CHECKPOINTS: the role may not read it")

    monkeypatch.setattr(lost.candidate, "problem", denied)
    mongo[fresh].payments.insert_one({"_id": 1})
    rig.run_until_sequence(1, Task(streams=[lost, rig.stream(CrashTimer())], stopping=rig.stopping, health=rig.task().health))
    assert asked.is_set()
    assert_complete_and_in_order(rig.received(), 1)


def test_standby_that_cannot_open_a_stream_is_unhealthy(rig: TaskFactory) -> None:
    """A deployment with wrong settings for one stream fails before the old tasks are stopped."""

    def refused() -> None:
        raise Misconfigured("TAILER_PIPELINE")

    for name in ("orders", "payments"):
        rig.store.write(Record(stream=name, version=1, owner="x", lease_seconds=3600))
    wrong = dataclasses.replace(rig.stream(CrashTimer(), name="orders"), ready=refused)
    task = Task(streams=[wrong, rig.stream(CrashTimer())], stopping=rig.stopping, health=rig.task().health)
    threading.Timer(0.2, rig.stopping.set).start()
    task.run()
    assert task.health.state == "standing by"
    assert not task.health.healthy


def test_outage_of_one_stream_does_not_delay_the_others(rig: TaskFactory, mongo: Mongo, fresh: str) -> None:
    """A standby that cannot read one lease still takes another."""

    def nobody() -> None:
        raise Unavailable("nobody answers")

    rig.store.write(Record(stream="payments", version=1, checkpoint=rig.source.first()))
    away = dataclasses.replace(rig.stream(CrashTimer(), name="away"), ready=nobody)
    mongo[fresh].payments.insert_one({"_id": 1})
    rig.run_until_sequence(1, Task(streams=[away, rig.stream(CrashTimer())], stopping=rig.stopping, health=rig.task().health))
    assert_complete_and_in_order(rig.received(), 1)


class DisconnectableStore:
    """A store that responds until it is disconnected."""

    def __init__(self, store: MemoryCheckpoints) -> None:
        self.cut = threading.Event()
        self._store = store

    def read(self, stream: str) -> Record | None:
        self._look()
        return self._store.read(stream)

    def write(self, record: Record) -> None:
        self._look()
        self._store.write(record)

    def _look(self) -> None:
        if self.cut.is_set():
            raise Unavailable("the store does not answer")


def test_lag_grows_when_a_task_is_disconnected_from_its_lease(rig: TaskFactory) -> None:
    """It cannot know whether another task tails the stream."""
    store = DisconnectableStore(rig.store)
    stream = rig.stream(CrashTimer())
    candidate = rig.candidate(store)
    task = Task(streams=[dataclasses.replace(stream, candidate=candidate)], stopping=rig.stopping, health=rig.task().health)
    said: list[str] = []

    def cut_off() -> None:
        while task.health.state != "tailing":
            time.sleep(0.01)
        store.cut.set()
        while 'tailrace_lease_owner{stream="payments"} 1.0' in text() or not task.health.state.startswith("waiting"):
            time.sleep(0.01)
        said.append(text())
        rig.stopping.set()

    def text() -> str:
        return stream.metrics.families.text().decode()

    threading.Thread(target=cut_off, daemon=True).start()
    task.run()
    lag = re.search(r'tailrace_lag_seconds{stream="payments"} ([0-9.]+)', said[0])
    assert lag
    assert float(lag[1]) > 0


def test_lost_history_of_the_only_stream_ends_the_task(rig: TaskFactory) -> None:
    """With the time of the last delivery and the remedy."""
    rig.store.write(Record(stream="payments", version=1, checkpoint=rig.source.first()))
    with pytest.raises(HistoryLost, match=r"delivered up to 20\d\d-.*accept-gap.*code 286"):
        rig.task(source=UnopenableSource(rig.source, HistoryLost("code 286"))).run()


def test_standby_takes_whichever_stream_is_free(rig: TaskFactory, mongo: Mongo, fresh: str) -> None:
    position = rig.source.first()
    rig.store.write(Record(stream="taken", version=1, owner="somebody", lease_seconds=3600, checkpoint=position))
    rig.store.write(Record(stream="payments", version=1, checkpoint=position))
    taken, free = rig.stream(CrashTimer(), name="taken"), rig.stream(CrashTimer())
    mongo[fresh].payments.insert_one({"_id": 1})
    rig.run_until_sequence(1, Task(streams=[taken, free], stopping=rig.stopping, health=rig.task().health))
    assert_complete_and_in_order(rig.received(), 1)
    assert rig.store.read("taken").owner == "somebody"  # type: ignore[union-attr]


@pytest.mark.parametrize("steps", range(1, 9))
def test_gap_is_announced_first_and_with_one_id(rig: TaskFactory, mongo: Mongo, fresh: str, steps: int) -> None:
    """A crash may repeat the announcement under the same id. Every other change follows it."""
    position = replace(rig.source.first(), generation=2, sequence=1)
    gap = Gap(generation=2, sequence=1, after="1.1", until="2.1", accepted_by="ada", accepted_at="now", reason="lost")
    rig.store.write(Record(stream="payments", version=1, checkpoint=position, gaps=(gap,)))
    mongo[fresh].payments.insert_one({"_id": 1})
    with pytest.raises(Crash):
        rig.task(CrashTimer(steps)).run()
    rig.run_until_sequence(2, rig.task())
    changes = rig.received()
    assert_complete_and_in_order(changes, 2)
    assert next(change.sequence for change in changes if change.operation_type == "gap") == 1
    assert rig.store.read("payments").gaps[0].announced  # type: ignore[union-attr]


@pytest.mark.parametrize("held", [0, 1])
def test_gap_is_not_sent_without_the_lease(rig: TaskFactory, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    """The lease is confirmed before each gap."""
    position = replace(rig.source.first(), generation=3, sequence=2)
    gaps = [
        Gap(generation=2 + one, sequence=1 + one, after="1.1", until="2.1", accepted_by="ada", accepted_at="now", reason="lost")
        for one in range(2)
    ]
    rig.store.write(Record(stream="payments", version=1, checkpoint=position, gaps=tuple(gaps)))
    confirmations = iter([True] * held)

    def confirm(_: Lease) -> None:
        if not next(confirmations, False):
            rig.stopping.set()
            raise LeaseLost("another task took it")

    monkeypatch.setattr(Lease, "confirm", confirm)
    rig.task().run()
    assert len(rig.received()) == held


def test_token_too_long_for_dynamodb_does_not_stop_the_stream(
    rig: TaskFactory, stack: DevStack, mongo: Mongo, fresh: str, caplog: pytest.LogCaptureFixture
) -> None:
    """After a restart every change keeps its sequence."""
    store = DynamodbCheckpoints(stack.aws("dynamodb"), stack.resources.table)
    store.write(Record(stream=fresh, version=1, checkpoint=rig.source.first()))
    for number in range(4):
        mongo[fresh].payments.insert_one({"_id": f"{number}" + "x" * 220_000})

    def stop_at(sequence: int) -> None:
        while not rig.stopping.wait(0.01):
            record = store.read(fresh)
            if record and record.checkpoint and record.checkpoint.sequence >= sequence:
                rig.stopping.set()

    for last in (3, 4):
        rig.stopping.clear()
        threading.Thread(target=stop_at, args=(last,), daemon=True).start()
        stream = dataclasses.replace(rig.stream(CrashTimer(), name=fresh), candidate=rig.candidate(store, fresh))
        Task(streams=[stream], stopping=rig.stopping, health=rig.task().health).run()
    assert_complete_and_in_order(rig.received(), 4)
    assert "long_token" in [getattr(one, "action", "") for one in caplog.records]
    assert all("xxxx" not in one.getMessage() for one in caplog.records)
