"""The guarantees of every checkpoint store. A store's own test is a subclass with a ``store`` fixture."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import fields as fields_of
from msgspec.structs import replace

from tailer.checkpoints.candidate import LeaseCandidate
from tailer.checkpoints.lease import Lease
from tailer.cluster import Cluster
from tailer.crashes import Crashes
from tailer.errors import LeaseLost
from tailer.model import After, Checkpoint, Gap, Record, Skip
from tailer.ports import CheckpointStore, Conflict

Put = Callable[[Mapping[str, Any]], object]

CHECKPOINT = Checkpoint(generation=2, sequence=4711, position=After("82ü", "1795332226.1"))

FULL = Record(
    stream="payments",
    version=1,
    owner="one",
    fence=3,
    identity='{"lanes":128}',
    lease_seconds=1.5,
    checkpoint=replace(CHECKPOINT, unconfirmed=True),
    problem="the update of payments/ü is too large",
    problem_code=4,
    gaps=tuple(
        Gap(
            generation=2,
            sequence=number,
            after="1795332226.1",
            until="1795332227.0",
            accepted_by="ada",
            accepted_at="2026-11-22T07:00:00Z",
            reason="the cluster was replaced\n",
            announced=bool(number),
        )
        for number in range(2)
    ),
    saved_at="2026-11-22T07:23:46.107+00:00",
    scanning_since="2026-11-22T07:21:00.000+00:00",
    skips=(Skip(change="82ü", by="ada", at="2026-11-22T07:00:00Z", reason="a test"),),
    stubs=3,
    last_stub="the update of payments/ü",
    crashes=Crashes(count=3, batch_limit=1, until=4811, change="82ü", decoding=True, crashes_on_change=2),
    cluster=Cluster(kind="replica set", name="rs0", id="6b0a", keys=("7713091283077562374",), hosts=("a:27017", "b:27017")),
)
"""A record with every field; none has the value that it has unasked."""


def _holds_every_field(value: Struct) -> bool:
    fields = {field.name: field.default for field in fields_of(value)}
    return all(
        getattr(value, name) != default and (not isinstance(part := getattr(value, name), Struct) or _holds_every_field(part))
        for name, default in fields.items()
    )


assert _holds_every_field(FULL), "a field was added: give it a value in FULL"

OLD: dict[str, Any] = {
    "stream": "payments",
    "version": 7,
    "owner": "",
    "fence": 2,
    "identity": "{}",
    "lease_seconds": 15.0,
    "checkpoint": {"generation": 2, "sequence": 4711, "token": "82ü", "cluster_time": "1795332226.1"},
}
"""What the first release stored."""


class KeepsOldRecords:
    """The guarantees of a store whose records outlive a release. ``put`` stores these fields as another release did."""

    @pytest.mark.parametrize("more", [{}, {"later": {"than": "this"}, "gaps": []}])
    def test_record_of_another_release_is_read_and_replaced(self, store: CheckpointStore, put: Put, more: Any) -> None:
        """An older record has fewer fields, a newer one has more. The position and the version are kept."""
        put(OLD | more)
        record = store.read("payments")
        assert record is not None
        assert (record.version, record.checkpoint, record.cluster) == (7, CHECKPOINT, None)
        store.write(replace(record, version=8, owner="one"))
        assert store.read("payments") == replace(record, version=8, owner="one")


class Clock:
    """A monotonic clock that the test advances."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class CheckpointStoreConformance:
    @pytest.fixture
    def store(self) -> CheckpointStore:
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    def candidate(self, store: CheckpointStore, clock: Clock, owner: str) -> LeaseCandidate:
        return LeaseCandidate(store, stream="payments", identity="{}", owner=owner, seconds=15, clock=clock)

    def lease(self, store: CheckpointStore, clock: Clock, owner: str = "one") -> Lease:
        lease = self.candidate(store, clock, owner).try_acquire()
        assert lease is not None
        return lease

    def test_stream_without_a_record_reads_as_none(self, store: CheckpointStore) -> None:
        assert store.read("payments") is None

    def test_record_is_read_as_written(self, store: CheckpointStore) -> None:
        """Every field, for each stream."""
        store.write(FULL)
        store.write(Record(stream="refunds", version=1))
        assert store.read("payments") == FULL
        assert store.read("refunds") == Record(stream="refunds", version=1)

    @pytest.mark.parametrize("version", [1, 2, 4, 9])
    def test_only_the_next_version_is_written(self, store: CheckpointStore, version: int) -> None:
        """A record replaces the version that it was made from, or nothing."""
        for number in (1, 2):
            store.write(Record(stream="payments", version=number))
        with pytest.raises(Conflict):
            store.write(Record(stream="payments", version=version, owner="late"))
        assert store.read("payments") == Record(stream="payments", version=2)

    def test_first_record_has_version_one(self, store: CheckpointStore) -> None:
        with pytest.raises(Conflict):
            store.write(Record(stream="payments", version=2))
        assert store.read("payments") is None

    def test_exactly_one_of_many_writers_wins(self, store: CheckpointStore) -> None:
        """Twenty at once, several rounds."""
        for version in range(1, 6):
            won: list[str] = []

            def write(owner: str, version: int = version, won: list[str] = won) -> None:
                try:
                    store.write(Record(stream="payments", version=version, owner=owner))
                except Conflict:
                    return
                won.append(owner)

            writers = [threading.Thread(target=write, args=(f"{number}",)) for number in range(20)]
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()
            stored = store.read("payments")
            assert stored is not None
            assert won == [stored.owner]

    def test_lease_has_one_owner(self, store: CheckpointStore, clock: Clock) -> None:
        self.lease(store, clock)
        assert self.candidate(store, clock, "two").try_acquire() is None

    def test_released_lease_is_free_at_once_with_its_checkpoint(self, store: CheckpointStore, clock: Clock) -> None:
        """Nothing is repeated after a clean stop."""
        with self.lease(store, clock) as lease:
            lease.save(CHECKPOINT)
            lease.save(replace(CHECKPOINT, sequence=4712))
        assert self.lease(store, clock, "two").checkpoint == replace(CHECKPOINT, sequence=4712)

    def test_silent_owner_is_replaced_after_the_lease_time(self, store: CheckpointStore, clock: Clock) -> None:
        """By the candidate's own clock since its first read. The new owner continues from the saved checkpoint."""
        self.lease(store, clock).save(CHECKPOINT)
        second = self.candidate(store, clock, "two")
        assert second.try_acquire() is None
        clock.now += 14.9
        assert second.try_acquire() is None
        clock.now += 0.1
        taken = second.try_acquire()
        assert taken is not None
        assert taken.checkpoint == CHECKPOINT

    def test_former_owner_writes_nothing(self, store: CheckpointStore, clock: Clock) -> None:
        """Neither a save nor a release changes the record after a takeover."""
        former, second = self.lease(store, clock), self.candidate(store, clock, "two")
        second.try_acquire()
        clock.now += 15
        assert second.try_acquire() is not None
        before = store.read("payments")
        with pytest.raises(LeaseLost):
            former.save(CHECKPOINT)
        former.release()
        assert store.read("payments") == before
