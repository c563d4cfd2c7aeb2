"""One writer per stream: the guarantees of a lease beyond its store. The conformance suite tests every store."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from tailer.checkpoints.candidate import LeaseCandidate
from tailer.checkpoints.lease import Lease
from tailer.cluster import Cluster
from tailer.crashes import CRASH_LOOP, SMALL_BATCH, Crashes
from tailer.errors import LeaseLost, Misconfigured, Unavailable
from tailer.model import After, At, Checkpoint, Record
from tailer.stores.memory import MemoryCheckpoints
from tests.conformance.checkpoint_store import CHECKPOINT, Clock


class UnreliableStore(MemoryCheckpoints):
    """A store that loses a response after writing, or does not respond, on demand; `after_read` is called after a read."""

    def __init__(self) -> None:
        super().__init__()
        self.lose_response = self.down = False
        self.writes = self.asked = self.failures = 0
        self.after_read: Callable[[], object] = lambda: None

    def read(self, stream: str) -> Record | None:
        record = super().read(stream)
        after_read, self.after_read = self.after_read, lambda: None
        after_read()
        return record

    def write(self, record: Record) -> None:
        self.asked += 1
        self.failures -= 1
        if self.down or self.failures >= 0:
            raise Unavailable("down")
        super().write(record)
        self.writes += 1
        if self.lose_response:
            self.lose_response = False
            raise Unavailable("timed out")


@pytest.fixture
def store() -> UnreliableStore:
    return UnreliableStore()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def candidate(
    store: UnreliableStore, clock: Clock, *, owner: str = "one", seconds: float = 15, identity: str = "{}", **options: Any
) -> LeaseCandidate:
    return LeaseCandidate(store, stream="payments", identity=identity, owner=owner, seconds=seconds, clock=clock, **options)


def acquire(store: UnreliableStore, clock: Clock, **options: Any) -> Lease | None:
    return candidate(store, clock, **options).try_acquire()


def taken(store: UnreliableStore, clock: Clock, *, seconds: float = 15) -> Lease:
    lease = acquire(store, clock, seconds=seconds)
    assert lease is not None
    return lease


def test_write_with_a_lost_response_keeps_the_lease(store: UnreliableStore, clock: Clock) -> None:
    """The owner recognises its own write."""
    lease = taken(store, clock)
    store.lose_response = True
    with pytest.raises(Unavailable):
        lease.save(CHECKPOINT)
    clock.now += 2
    lease.save(replace(CHECKPOINT, sequence=4712))
    lease.confirm()
    assert store.read("payments").checkpoint.sequence == 4712  # type: ignore[union-attr]


@pytest.mark.parametrize("write", [lambda lease: lease.save(CHECKPOINT), Lease.release])
def test_takeover_between_two_reads_loses_the_lease(
    store: UnreliableStore, clock: Clock, write: Callable[[Lease], None]
) -> None:
    """The owner lost a response and then still read its own record."""
    lease = taken(store, clock)
    store.lose_response = True
    with pytest.raises(Unavailable):
        lease.write(lease.record)
    other = LeaseCandidate(store, stream="payments", identity="{}", owner="two", seconds=15, clock=clock)
    other.try_acquire()
    clock.now += 15
    store.after_read = other.try_acquire
    with pytest.raises(LeaseLost):
        write(lease)
    with pytest.raises(LeaseLost):
        lease.confirm()
    assert store.read("payments").owner == "two"  # type: ignore[union-attr]


def test_first_checkpoint_is_none_until_the_store_has_it(store: UnreliableStore, clock: Clock) -> None:
    """If another task took over, changes after an unsaved checkpoint would be lost."""
    lease = taken(store, clock)
    store.down = True
    with pytest.raises(Unavailable):
        lease.save(CHECKPOINT)
    assert lease.checkpoint is None
    assert lease.record.checkpoint == CHECKPOINT  # The stream still starts there.
    store.down = False
    lease.save(CHECKPOINT)  # It is saved at once, however recent the last write is.
    assert store.read("payments").checkpoint == lease.checkpoint == CHECKPOINT  # type: ignore[union-attr]


def test_first_checkpoint_may_be_saved_by_a_renewal(store: UnreliableStore, clock: Clock) -> None:
    lease = taken(store, clock, seconds=0.3)
    store.down = True
    with pytest.raises(Unavailable):
        lease.save(CHECKPOINT)
    store.down = False
    with lease:
        while lease.checkpoint is None:
            time.sleep(0.01)
    assert store.read("payments").checkpoint == CHECKPOINT  # type: ignore[union-attr]


def test_checkpoints_are_saved_at_most_once_a_second(store: UnreliableStore, clock: Clock) -> None:
    """A crash repeats at most the changes of that second."""
    lease, before = taken(store, clock), store.writes
    for sequence in range(1, 31):
        clock.now += 0.1
        lease.save(replace(CHECKPOINT, sequence=sequence))
    assert store.writes - before == 3


def test_takeover_from_a_dead_owner_is_recorded_at_once(store: UnreliableStore, clock: Clock) -> None:
    """A task killed in its first second would otherwise look as if a change had killed it."""
    taken(store, clock, seconds=1).save(CHECKPOINT)
    second = candidate(store, clock, owner="two", seconds=1)
    assert second.try_acquire() is None
    clock.now += 1
    lease = second.try_acquire()
    assert lease is not None
    assert lease.record.crashes.count == 1
    for number in range(1, 4):
        lease.save(replace(CHECKPOINT, sequence=CHECKPOINT.sequence + number))
    stored = store.read("payments")
    assert stored is not None
    assert stored.checkpoint == replace(CHECKPOINT, sequence=CHECKPOINT.sequence + 1)
    assert stored.crashes.count == 0


def test_new_owner_clears_the_problem_of_the_last_owner(store: UnreliableStore, clock: Clock) -> None:
    """The reason and its exit code."""
    store.write(Record(stream="payments", version=1, checkpoint=CHECKPOINT, problem="too large", problem_code=4))
    lease = taken(store, clock)
    assert (lease.record.problem, lease.record.problem_code) == ("too large", 4)
    lease.save(CHECKPOINT)
    lease.release()
    record = store.read("payments")
    assert record is not None
    assert (record.problem, record.problem_code) == ("", 0)


def test_owner_that_could_not_renew_in_time_loses_the_lease(store: UnreliableStore, clock: Clock) -> None:
    """Another task may have taken over."""
    lease = taken(store, clock)
    store.down = True
    clock.now += 14.9
    lease.confirm()
    clock.now += 0.1
    with pytest.raises(LeaseLost):
        lease.confirm()


def test_background_renews_the_lease_while_the_loop_is_busy(store: UnreliableStore, clock: Clock) -> None:
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


def test_position_of_an_idle_stream_is_saved_with_the_renewal(store: UnreliableStore, clock: Clock) -> None:
    """Not with every empty reply."""
    lease = taken(store, clock)
    lease.save(CHECKPOINT)
    writes = store.writes
    clock.now += 100
    lease.save(replace(CHECKPOINT, position=After("83")))
    assert store.writes == writes
    lease.release()
    assert store.read("payments").checkpoint.position == After("83")  # type: ignore[union-attr]


def test_every_owner_has_a_larger_fence(store: UnreliableStore, clock: Clock) -> None:
    """Also after a clean release."""
    fences = []
    for _ in range(3):
        with taken(store, clock):
            fences.append(store.read("payments").fence)  # type: ignore[union-attr]
    assert fences == [1, 2, 3]


OTHER = '{"lanes":4}'


def test_candidate_with_other_settings_is_refused(store: UnreliableStore, clock: Clock) -> None:
    """Its sequence numbers and lanes would mean something else. The message names the difference."""
    with taken(store, clock) as lease:
        lease.save(CHECKPOINT)
    with pytest.raises(
        Misconfigured, match=r"'payments' was written with other settings: lanes was not set and is now 4\. .* accept-settings"
    ):
        acquire(store, clock, owner="two", identity=OTHER)


def test_standby_with_other_settings_is_refused_while_the_owner_lives(store: UnreliableStore, clock: Clock) -> None:
    """It could not take over, so it must not count as a standby."""
    lease = taken(store, clock)
    lease.save(CHECKPOINT)
    with pytest.raises(Misconfigured, match="was written with other settings"):
        acquire(store, clock, owner="two", identity=OTHER)
    assert store.read("payments").owner == "one"  # type: ignore[union-attr]


UNSENT = replace(CHECKPOINT, sequence=0)


@pytest.mark.parametrize("checkpoint", [None, UNSENT])
def test_settings_may_change_until_a_change_was_delivered(
    store: UnreliableStore, clock: Clock, checkpoint: Checkpoint | None, caplog: pytest.LogCaptureFixture
) -> None:
    """After a clean stop and after a crash. Where there was a position, in a new generation."""
    caplog.set_level("INFO", logger="tailer")
    crashed = taken(store, clock)
    if checkpoint:
        crashed.save(checkpoint)
    second = candidate(store, clock, owner="two", identity=OTHER)
    assert second.try_acquire() is None
    clock.now += 15
    lease = second.try_acquire()
    assert lease is not None
    assert lease.record.identity == OTHER
    assert lease.checkpoint == (checkpoint and replace(checkpoint, generation=checkpoint.generation + 1))
    lease.release()
    third = acquire(store, clock, owner="three", identity="{}")
    assert third is not None
    said = [getattr(one, "action", "") for one in caplog.records]
    assert said == (["settings_taken"] * 2 if checkpoint else [])


HERE = Cluster(name="rs0", keys=("71",), hosts=("a:27017",))
THERE = Cluster(name="rs0", keys=("99",), hosts=("b:27017",))


def test_cluster_is_read_again_before_it_is_refused(store: UnreliableStore, clock: Clock) -> None:
    """A standby may know an old key after months, while the owner keeps the record up to date."""
    told = [HERE, replace(HERE, keys=("72",))]
    owner = acquire(store, clock, cluster=lambda: HERE)
    assert owner is not None
    owner.save(CHECKPOINT)
    standby = candidate(store, clock, owner="two", cluster=lambda: told.pop(0))
    assert standby.try_acquire() is None
    owner.write(replace(owner.record, cluster=replace(HERE, keys=("72",))))
    assert standby.try_acquire() is None
    assert told == []


@pytest.mark.parametrize("stopped", [False, True])
def test_candidate_of_another_cluster_is_refused(store: UnreliableStore, clock: Clock, stopped: bool) -> None:
    """While the owner lives and afterwards. Nothing is written."""
    owner = acquire(store, clock, cluster=lambda: HERE)
    assert owner is not None
    owner.save(CHECKPOINT)
    if stopped:
        owner.release()
    before = store.read("payments")
    with pytest.raises(Misconfigured, match=r"belongs to the rs0 at a:27017 .* points to the rs0 at b:27017"):
        acquire(store, clock, owner="two", cluster=lambda: THERE)
    assert store.read("payments") == before


def test_cluster_without_a_checkpoint_refuses_nobody(store: UnreliableStore, clock: Clock) -> None:
    """The stream was never opened, so the next owner may watch another cluster."""
    owner = acquire(store, clock, cluster=lambda: HERE)
    assert owner is not None
    owner.release()
    other = acquire(store, clock, owner="two", cluster=lambda: THERE)
    assert other is not None
    assert other.record.cluster == THERE


@pytest.mark.parametrize("checkpoint", [None, UNSENT])
def test_live_owner_keeps_its_settings_before_its_first_delivery(
    store: UnreliableStore, clock: Clock, checkpoint: Checkpoint | None
) -> None:
    """Two streams with the same name must not wait for each other."""
    owner = taken(store, clock)
    if checkpoint:
        owner.save(checkpoint)
    second = candidate(store, clock, owner="two", identity=OTHER)
    assert second.try_acquire() is None
    owner.write(owner.record)
    with pytest.raises(Misconfigured, match="was written with other settings"):
        second.try_acquire()


def test_checkpoint_age_counts_from_the_last_successful_write(store: UnreliableStore, clock: Clock) -> None:
    lease = taken(store, clock)
    clock.now += 3
    assert lease.checkpoint_age == 3
    lease.save(CHECKPOINT)
    assert lease.checkpoint_age == 0
    store.down = True
    clock.now += 2
    lease.save(replace(CHECKPOINT, sequence=CHECKPOINT.sequence + 1))
    assert lease.checkpoint_age == 2


def test_failed_save_is_retried_with_the_next_checkpoint(
    store: UnreliableStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The lease is kept. The log has one line when saves begin to fail and one when they succeed again."""
    caplog.set_level("INFO", logger="tailer")
    lease = taken(store, clock)
    lease.save(CHECKPOINT)
    store.down = True
    for sequence in range(1, 13):
        clock.now += 1
        lease.confirm()
        lease.save(replace(CHECKPOINT, sequence=CHECKPOINT.sequence + sequence))
        assert lease.failure == "down"
    assert store.read("payments").checkpoint == CHECKPOINT  # type: ignore[union-attr]
    assert lease.checkpoint.sequence == CHECKPOINT.sequence + 12  # type: ignore[union-attr]
    store.down = False
    clock.now += 1
    lease.save(replace(CHECKPOINT, sequence=CHECKPOINT.sequence + 13))
    assert store.read("payments").checkpoint.sequence == CHECKPOINT.sequence + 13  # type: ignore[union-attr]
    assert lease.failure == ""
    failed, worked = (one for one in caplog.records if one.levelname == "WARNING")
    assert "stream 'payments' could not be saved: down." in failed.getMessage()
    assert "within 14 s, the lease expires" in failed.getMessage()
    assert "saved again" in worked.getMessage()


def test_failing_store_ends_the_lease_when_it_expires(store: UnreliableStore, clock: Clock) -> None:
    """Failed saves neither lengthen nor shorten the lease."""
    lease = taken(store, clock)
    lease.save(CHECKPOINT)
    store.down = True
    for sequence in range(1, 150):
        clock.now += 0.1
        lease.confirm()
        lease.save(replace(CHECKPOINT, sequence=CHECKPOINT.sequence + sequence))
    clock.now += 0.2
    with pytest.raises(LeaseLost):
        lease.confirm()


def test_failing_store_is_called_at_most_once_a_second(store: UnreliableStore, clock: Clock) -> None:
    """Each attempt may take as long as its timeout."""
    lease = taken(store, clock)
    lease.save(CHECKPOINT)
    store.down, asked = True, store.asked
    for sequence in range(1, 31):
        clock.now += 0.1
        lease.save(replace(CHECKPOINT, sequence=CHECKPOINT.sequence + sequence))
    assert store.asked - asked == 3


def test_failed_renewal_is_retried_and_logged_once(
    store: UnreliableStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """After any error. The log also says when the store works again."""
    caplog.set_level("INFO", logger="tailer")
    errors = iter([Unavailable("throttled"), Misconfigured("denied"), RuntimeError("unforeseen"), Unavailable("throttled")])

    def failing(record: Record) -> None:
        if error := next(errors, None):
            raise error
        MemoryCheckpoints.write(store, record)

    with taken(store, clock, seconds=0.3) as lease:
        store.write = failing  # type: ignore[method-assign]
        while next(iter(caplog.records), None) is None or lease.failure:
            time.sleep(0.01)
    warnings = [one.getMessage() for one in caplog.records]
    assert len(warnings) == 2
    assert "throttled" in warnings[0]
    assert "saved again" in warnings[1]


def test_release_is_retried(store: UnreliableStore, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A throttled release causes no repeats, and a dead store does not delay the stop."""
    monkeypatch.setattr("tailer.checkpoints.lease._RETRY_AFTER", 0.01)
    lease = taken(store, clock)
    lease.save(CHECKPOINT)
    lease.save(replace(CHECKPOINT, sequence=4712))
    store.failures = 2
    lease.release()
    record = store.read("payments")
    assert record is not None
    assert (record.owner, record.checkpoint.sequence) == ("", 4712)  # type: ignore[union-attr]
    lease, store.down = taken(store, clock), True
    with pytest.raises(Unavailable):
        lease.release()


@pytest.mark.parametrize(
    ("scanned_to", "careful"),
    [("1700000000.5", SMALL_BATCH), ("1700000059.5", SMALL_BATCH), ("1700000060.1", 0), ("1700000100.1", 0)],
)
def test_careful_mode_ends_after_the_changes_that_dead_owners_read(
    store: UnreliableStore, clock: Clock, scanned_to: str, careful: int
) -> None:
    """An empty reply only says how far the server has scanned: the fatal change may come later."""
    took_over = datetime.fromtimestamp(1_700_000_060, tz=UTC)
    before = replace(CHECKPOINT, position=At("1699999000.1"))
    store.write(
        Record(
            stream="payments",
            version=1,
            checkpoint=before,
            crashes=Crashes(count=CRASH_LOOP, batch_limit=SMALL_BATCH, until=10**9),
        )
    )
    lease = acquire(store, clock, now=lambda: took_over)
    assert lease is not None
    lease.save(replace(before, position=At(scanned_to)))
    assert lease.batch_limit == careful
    found = store.read("payments")
    assert found is not None
    assert found.crashes.batch_limit == careful
