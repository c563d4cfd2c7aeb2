"""One writer: what a lease promises beyond its store. The conformance suite asks the rest of every store."""

import threading
import time
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tailer.checkpoints.memory import MemoryCheckpoints
from tailer.contender import Contender
from tailer.errors import LeaseLost, Misconfigured, Unavailable
from tailer.lease import Lease
from tailer.model import Record
from tests.conformance.checkpoint_store import CHECKPOINT, Clock


class Shaky(MemoryCheckpoints):
    """A store that writes and then loses its answer, or does not answer at all, when told to. After a read anything may be."""

    def __init__(self) -> None:
        super().__init__()
        self.lose_answer = self.down = False
        self.writes = 0
        self.after_read: Callable[[], object] = lambda: None

    def read(self, stream: str) -> Record | None:
        record = super().read(stream)
        after_read, self.after_read = self.after_read, lambda: None
        after_read()
        return record

    def write(self, record: Record) -> None:
        if self.down:
            raise Unavailable("down")
        super().write(record)
        self.writes += 1
        if self.lose_answer:
            self.lose_answer = False
            raise Unavailable("timed out")


@pytest.fixture
def store() -> Shaky:
    return Shaky()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def acquire(store: Shaky, clock: Clock, *, owner: str = "one", seconds: float = 15, identity: str = "{}") -> Lease | None:
    return Contender(store, stream="payments", identity=identity, owner=owner, seconds=seconds, clock=clock).try_acquire()


def taken(store: Shaky, clock: Clock, *, seconds: float = 15) -> Lease:
    lease = acquire(store, clock, seconds=seconds)
    assert lease is not None
    return lease


def test_a_write_whose_answer_was_lost_is_our_own(store: Shaky, clock: Clock) -> None:
    """The version moved on, but by ourselves: the lease goes on."""
    lease = taken(store, clock)
    store.lose_answer = True
    with pytest.raises(Unavailable):
        lease.save(CHECKPOINT)
    clock.now += 2
    lease.save(replace(CHECKPOINT, sequence=4712))
    lease.confirm()
    assert store.read("payments").checkpoint.sequence == 4712  # type: ignore[union-attr]


@pytest.mark.parametrize("write", [lambda lease: lease.save(CHECKPOINT), Lease.release])
def test_a_takeover_between_two_looks_is_a_lost_lease(store: Shaky, clock: Clock, write: Callable[[Lease], None]) -> None:
    """The record was still ours when it was looked at, after an answer that was lost; then it was not."""
    lease = taken(store, clock)
    store.lose_answer = True
    with pytest.raises(Unavailable):
        lease.write(lease.record)
    other = Contender(store, stream="payments", identity="{}", owner="two", seconds=15, clock=clock)
    other.try_acquire()
    clock.now += 15
    store.after_read = other.try_acquire
    with pytest.raises(LeaseLost):
        write(lease)
    with pytest.raises(LeaseLost):
        lease.confirm()
    assert store.read("payments").owner == "two"  # type: ignore[union-attr]


def test_a_first_checkpoint_is_none_before_the_store_has_it(store: Shaky, clock: Clock) -> None:
    """Whoever tails on from one that only this process knows loses what follows it, should another task take over."""
    lease = taken(store, clock)
    store.down = True
    with pytest.raises(Unavailable):
        lease.save(CHECKPOINT)
    assert lease.checkpoint is None
    assert lease.record.checkpoint == CHECKPOINT  # it is still where the stream starts
    store.down = False
    lease.save(CHECKPOINT)  # at once, however short ago the last write was
    assert store.read("payments").checkpoint == lease.checkpoint == CHECKPOINT  # type: ignore[union-attr]


def test_a_first_checkpoint_may_become_durable_with_a_renewal(store: Shaky, clock: Clock) -> None:
    """Whoever wrote it: it is in the store."""
    lease = taken(store, clock, seconds=0.3)
    store.down = True
    with pytest.raises(Unavailable):
        lease.save(CHECKPOINT)
    store.down = False
    with lease:
        while lease.checkpoint is None:
            time.sleep(0.01)
    assert store.read("payments").checkpoint == CHECKPOINT  # type: ignore[union-attr]


def test_checkpoints_are_not_written_more_than_once_a_second(store: Shaky, clock: Clock) -> None:
    """However small the batches; what a crash repeats stays within that second."""
    lease, before = taken(store, clock), store.writes
    for sequence in range(1, 31):
        clock.now += 0.1
        lease.save(replace(CHECKPOINT, sequence=sequence))
    assert store.writes - before == 3


def test_who_goes_on_clears_why_the_last_owner_stopped(store: Shaky, clock: Clock) -> None:
    """The reason and its exit code are of the past."""
    store.write(Record(stream="payments", version=1, checkpoint=CHECKPOINT, problem="too large", problem_code=4))
    lease = taken(store, clock)
    assert (lease.record.problem, lease.record.problem_code) == ("too large", 4)
    lease.save(CHECKPOINT)
    lease.release()
    record = store.read("payments")
    assert record is not None
    assert (record.problem, record.problem_code) == ("", 0)


def test_an_owner_that_could_not_renew_in_time_stops(store: Shaky, clock: Clock) -> None:
    """Another task may have taken over, so nothing is sent on a guess."""
    lease = taken(store, clock)
    store.down = True
    clock.now += 14.9
    lease.confirm()
    clock.now += 0.1
    with pytest.raises(LeaseLost):
        lease.confirm()


def test_the_background_keeps_the_lease_while_the_loop_is_busy(store: Shaky, clock: Clock) -> None:
    """A send may take longer than the lease."""
    with taken(store, clock, seconds=0.3):
        before = store.read("payments")
        assert before is not None
        deadline = threading.Event()
        deadline.wait(0.5)
        after = store.read("payments")
        assert after is not None
        assert after.version > before.version
        assert (after.owner, after.fence) == (before.owner, before.fence)


def test_an_idle_stream_is_saved_with_the_renewal(store: Shaky, clock: Clock) -> None:
    """The token moved though nothing was delivered: it is durable with the next renewal, not with every heartbeat."""
    lease = taken(store, clock)
    lease.save(CHECKPOINT)
    writes = store.writes
    clock.now += 100
    lease.save(replace(CHECKPOINT, token="83"))
    assert store.writes == writes
    lease.release()
    assert store.read("payments").checkpoint.token == "83"  # type: ignore[union-attr]


def test_every_owner_has_a_larger_fence(store: Shaky, clock: Clock) -> None:
    """Also when the lease was released cleanly."""
    fences = []
    for _ in range(3):
        with taken(store, clock):
            fences.append(store.read("payments").fence)  # type: ignore[union-attr]
    assert fences == [1, 2, 3]


def test_a_stream_that_watches_something_else_is_refused(store: Shaky, clock: Clock) -> None:
    """Its numbers and lanes would mean something else; the message says what differs."""
    taken(store, clock).release()
    with pytest.raises(Misconfigured, match=r"'payments' does not fit: lanes was not set and is now 4\. .* accept-settings"):
        acquire(store, clock, owner="two", identity='{"lanes":4}')


def test_a_spare_with_other_settings_is_refused_while_the_owner_lives(store: Shaky, clock: Clock) -> None:
    """It could not take over, so it must not count as one that stands by."""
    lease = taken(store, clock)
    with pytest.raises(Misconfigured, match="does not fit"):
        acquire(store, clock, owner="two", identity='{"lanes":4}')
    lease.save(CHECKPOINT)
    assert store.read("payments").owner == "one"  # type: ignore[union-attr]


def test_the_age_of_the_checkpoint_is_that_of_the_last_write_that_was_answered(store: Shaky, clock: Clock) -> None:
    """A store that is down does not make a checkpoint young."""
    lease = taken(store, clock)
    clock.now += 3
    assert lease.checkpoint_age == 3
    lease.save(CHECKPOINT)
    assert lease.checkpoint_age == 0
    store.down = True
    clock.now += 2
    with pytest.raises(Unavailable):
        lease.save(replace(CHECKPOINT, sequence=CHECKPOINT.sequence + 1))
    assert lease.checkpoint_age == 2
