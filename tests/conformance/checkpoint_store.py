"""What every checkpoint store promises. A store's own test is a subclass with a ``store`` fixture."""

import threading

import pytest
from msgspec.structs import replace

from tailer.contender import Contender
from tailer.errors import LeaseLost
from tailer.lease import Lease
from tailer.model import Checkpoint, Record
from tailer.ports import CheckpointStore, Conflict

CHECKPOINT = Checkpoint(generation=2, sequence=4711, token="82ü", cluster_time="1795332226.1")


class Clock:
    """A monotonic clock that goes when it is told to."""

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

    def contender(self, store: CheckpointStore, clock: Clock, owner: str) -> Contender:
        return Contender(store, stream="payments", identity="{}", owner=owner, seconds=15, clock=clock)

    def lease(self, store: CheckpointStore, clock: Clock, owner: str = "one") -> Lease:
        lease = self.contender(store, clock, owner).try_acquire()
        assert lease is not None
        return lease

    def test_a_stream_never_written_has_no_record(self, store: CheckpointStore) -> None:
        """Nothing is not an error."""
        assert store.read("payments") is None

    def test_what_is_written_is_read_again(self, store: CheckpointStore) -> None:
        """Every field, and every stream by itself."""
        record = Record(
            stream="payments",
            version=1,
            owner="one",
            fence=3,
            identity='{"lanes":128}',
            lease_seconds=1.5,
            checkpoint=CHECKPOINT,
        )
        store.write(record)
        store.write(Record(stream="refunds", version=1))
        assert store.read("payments") == record
        assert store.read("refunds") == Record(stream="refunds", version=1)

    @pytest.mark.parametrize("version", [1, 2, 4, 9])
    def test_only_the_next_version_is_written(self, store: CheckpointStore, version: int) -> None:
        """A record is stored behind the version it was made from, or not at all."""
        for number in (1, 2):
            store.write(Record(stream="payments", version=number))
        with pytest.raises(Conflict):
            store.write(Record(stream="payments", version=version, owner="late"))
        assert store.read("payments") == Record(stream="payments", version=2)

    def test_a_first_record_is_version_one(self, store: CheckpointStore) -> None:
        """There is nothing that a later version could replace."""
        with pytest.raises(Conflict):
            store.write(Record(stream="payments", version=2))
        assert store.read("payments") is None

    def test_of_many_writers_one_wins(self, store: CheckpointStore) -> None:
        """Twenty at once, several rounds: each version is written by exactly one of them."""
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

    def test_a_lease_has_one_owner(self, store: CheckpointStore, clock: Clock) -> None:
        """The second contender waits."""
        self.lease(store, clock)
        assert self.contender(store, clock, "two").try_acquire() is None

    def test_a_released_lease_is_free_at_once_with_its_checkpoint(self, store: CheckpointStore, clock: Clock) -> None:
        """A clean stop hands over without a wait, and nothing is repeated."""
        with self.lease(store, clock) as lease:
            lease.save(CHECKPOINT)
            lease.save(replace(CHECKPOINT, sequence=4712))
        assert self.lease(store, clock, "two").checkpoint == replace(CHECKPOINT, sequence=4712)

    def test_a_silent_owner_is_replaced_after_the_lease_time(self, store: CheckpointStore, clock: Clock) -> None:
        """Measured by the observer's own clock from its first look; the new owner goes on from the saved checkpoint."""
        self.lease(store, clock).save(CHECKPOINT)
        second = self.contender(store, clock, "two")
        assert second.try_acquire() is None
        clock.now += 14.9
        assert second.try_acquire() is None
        clock.now += 0.1
        taken = second.try_acquire()
        assert taken is not None
        assert taken.checkpoint == CHECKPOINT

    def test_a_former_owner_writes_nothing(self, store: CheckpointStore, clock: Clock) -> None:
        """After a takeover neither save nor release changes the record."""
        former, second = self.lease(store, clock), self.contender(store, clock, "two")
        second.try_acquire()
        clock.now += 15
        assert second.try_acquire() is not None
        before = store.read("payments")
        with pytest.raises(LeaseLost):
            former.save(CHECKPOINT)
        former.release()
        assert store.read("payments") == before
