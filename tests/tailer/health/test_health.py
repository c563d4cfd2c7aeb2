"""A task reports its own lag, and never too little, whatever waits and whichever clock is wrong."""

from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any

import pytest

from tailer.health.health import Health
from tailer.health.progress import SCANNING_AFTER, STALLED_AFTER, Progress
from tailer.metrics.prometheus import Families, Metrics
from tailer.model import Batch, Checkpoint
from tailrace.metrics import TAILER
from tailrace.wire.change import Change
from tests.conformance.checkpoint_store import Clock
from tests.samples.changes import ORIGIN, a_change, a_checkpoint

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def families() -> Families:
    return Families()


@pytest.fixture
def health(clock: Clock, families: Families) -> Health:
    start = clock.now
    health = Health(clock=clock, now=lambda: NOW + timedelta(seconds=clock.now - start))
    health.lease_acquired(Metrics("payments", families))
    return health


def change_committed(seconds_ago: float) -> Change:
    return a_change(wall_time=(NOW - timedelta(seconds=seconds_ago)).isoformat())


def a_batch(*changes: Change, reached: float = 0, **checkpoint: Any) -> Batch:
    """A batch whose checkpoint was reached this many seconds ago."""
    return Batch(changes=changes, checkpoint=a_checkpoint(NOW - timedelta(seconds=reached), **checkpoint))


def test_lag_of_an_empty_reply_is_the_age_of_its_token(health: Health, clock: Clock) -> None:
    """The server may have scanned nothing yet."""
    for _ in range(40):
        health.delivered(a_batch(reached=300))
        clock.now += 1
    assert health.lag() == 340
    health.delivered(a_batch(reached=0))
    assert health.lag() == 40


def test_server_clock_ahead_of_ours_hides_no_lag(health: Health, clock: Clock) -> None:
    """A position from the future counts from the moment when it was first reported."""
    for _ in range(30):
        health.delivered(a_batch(reached=-3600))
        clock.now += 1
    assert health.lag() == 30


def test_lag_without_post_batch_tokens_is_known_only_with_changes(health: Health, clock: Clock) -> None:
    """Idle and stalled cannot be distinguished. When reads fail, lag grows from the last change."""
    health.delivered(a_batch(change_committed(9), reached=9))
    assert health.lag() == 9
    health.delivered(a_batch(reached=9, unconfirmed=True))
    assert isnan(health.lag())
    health.waiting("MongoDB: nobody answers")
    clock.now += 60
    assert health.lag() == 69


def test_scan_is_healthy_however_long_it_takes(health: Health, clock: Clock) -> None:
    """The server owes a reply on a live connection. The lag grows meanwhile."""
    health.delivered(a_batch())
    for _ in range(3_600):
        clock.now += 1
        assert health.reading(clock.now - 1000.0) == ("" if clock.now < 1000 + SCANNING_AFTER else "2026-11-22T08:00:00Z")
        assert health.healthy
    assert health.state == "scanning since 2026-11-22T08:00:00Z"
    assert (health.ready, health.condition, health.lag()) == (True, "tailing", 3_600)
    health.delivered(a_batch())
    assert health.state == "tailing"


def test_probe_never_sees_the_end_of_a_scan_that_continues(clock: Clock) -> None:
    """An HTTP thread may read the state at any moment, and the loop reports a scan a few times a second."""
    seen: list[object] = []

    class Recorded(Progress):
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name == "scanning_since":
                seen.append(value)

    progress = Recorded(clock, lambda: NOW)
    since = progress.reading(SCANNING_AFTER)
    seen.clear()
    progress.reading(SCANNING_AFTER + 1)
    assert set(seen) == {since}


def test_reads_that_keep_failing_soon_are_no_scan(health: Health, clock: Clock) -> None:
    """The task stalls, although a read is outstanding at most moments."""
    health.delivered(a_batch())
    for _ in range(round(STALLED_AFTER / SCANNING_AFTER) + 1):
        health.reading(0.0)
        clock.now += SCANNING_AFTER
        health.reading(SCANNING_AFTER - 0.1)
        health.waiting("MongoDB: connection closed")
    assert not health.healthy
    assert not health.ready


def test_failed_scan_is_followed_by_the_full_stall_limit(health: Health, clock: Clock) -> None:
    """A failover at the end of an hour's scan is not an hour's stall."""
    health.reading(0.0)
    clock.now += 3_600
    health.reading(3_600.0)
    health.waiting("MongoDB: the primary stepped down")
    assert (health.healthy, health.ready) == (True, False)
    clock.now += STALLED_AFTER
    assert not health.healthy


def test_batch_observes_the_latency_of_its_oldest_change(health: Health, families: Families) -> None:
    """Once, and never below zero. An empty batch observes nothing."""
    metrics = families.streams[0]
    health.delivered(a_batch(change_committed(3), change_committed(1)))
    health.delivered(a_batch())
    health.delivered(a_batch(change_committed(-5)))
    assert metrics.commit_to_queue.take() == [3, 0]


def test_lag_grows_when_the_lease_is_lost_in_an_outage(health: Health, families: Families, clock: Clock) -> None:
    """Until another task is seen to own the stream."""
    health.delivered(a_batch())
    health.lease_released()
    health.waiting("DynamoDB: nobody answers")
    clock.now += 400
    assert (health.lag(), families.value(TAILER["Lag"], "payments")) == (400, 400)
    assert families.value(TAILER["LeaseOwner"], "payments") == 0
    health.standing_by()
    assert (health.lag(), families.value(TAILER["Lag"], "payments")) == (0, 0)
    health.waiting("DynamoDB: nobody answers")
    assert isnan(health.lag())
    assert isnan(families.value(TAILER["Lag"], "payments"))


def test_delivery_of_one_stream_does_not_affect_another(health: Health, families: Families) -> None:
    health.add(Metrics("orders", families))
    health.delivered(a_batch())
    assert isnan(families.value(TAILER["Lag"], "orders"))
    health.lease_released()
    assert isnan(families.value(TAILER["Lag"], "orders"))


def test_lag_is_unknown_for_a_stream_whose_lease_was_not_read(health: Health, families: Families) -> None:
    """A standby may be able to read one lease and not another."""
    health.lease_released()
    health.add(Metrics("orders", families))
    health.standing_by(["orders"])
    assert isnan(families.value(TAILER["Lag"], "orders"))
    assert families.value(TAILER["Lag"], "payments") == 0


def test_checkpoint_age_is_known_only_to_the_owner(health: Health, families: Families) -> None:
    health.lease_acquired(families.streams[0], checkpoint_age=lambda: 4.5)
    assert families.value(TAILER["CheckpointAge"], "payments") == 4.5
    health.lease_released()
    assert isnan(families.value(TAILER["CheckpointAge"], "payments"))


def test_end_of_a_wait_is_logged_once_as_a_warning(health: Health, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """An operator who reads warnings saw it begin and must see it end."""
    health.delivered(a_batch())
    for _ in range(3):
        health.waiting("the queue does not answer")
        clock.now += 14
    health.delivered(a_batch())
    health.delivered(a_batch())
    health.waiting("the database does not answer")
    health.standing_by()
    health.standing_by()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "the task continues after a wait of 42.0 s: it is tailing"),
        ("WARNING", "the task continues after a wait of 0.0 s: it is standing by"),
    ]


def test_end_of_a_stopped_streams_wait_is_not_logged(health: Health, caplog: pytest.LogCaptureFixture) -> None:
    health.waiting("the queue does not answer")
    health.gave_up("payments", Metrics("payments"), ORIGIN)
    health.standing_by()
    assert caplog.records == []


@pytest.mark.parametrize(("delivered", "healthy"), [(None, False), (ORIGIN, True)])
def test_standby_that_stopped_a_stream_is_unhealthy(health: Health, delivered: Checkpoint | None, healthy: bool) -> None:
    """A new task with settings that are wrong for one stream fails its deployment. The owner of a stream stays healthy."""
    health.lease_released()
    health.gave_up("orders", Metrics("orders"), delivered)
    health.standing_by()
    assert health.healthy is healthy
    health.lease_acquired(Metrics("payments"))
    health.delivered(a_batch())
    assert health.healthy
