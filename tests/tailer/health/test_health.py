"""What a task knows of its own delay: never less than is true, whatever waits and whichever clock is wrong."""

from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any

import pytest

from tailer.health.health import SCANNING_AFTER, STALLED_AFTER, Health
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


def committed(seconds_ago: float) -> Change:
    return a_change(wall_time=(NOW - timedelta(seconds=seconds_ago)).isoformat())


def a_batch(*changes: Change, reached: float = 0, **checkpoint: Any) -> Batch:
    """Up to so many seconds ago."""
    return Batch(changes=changes, checkpoint=a_checkpoint(NOW - timedelta(seconds=reached), **checkpoint))


def test_an_empty_reply_is_as_far_behind_as_its_token(health: Health, clock: Clock) -> None:
    """The server may have looked at nothing yet; replies that come show nothing, the time of their token does."""
    for _ in range(40):
        health.delivered(a_batch(reached=300))
        clock.now += 1
    assert health.lag() == 340
    health.delivered(a_batch(reached=0))
    assert health.lag() == 40


def test_a_server_whose_clock_is_ahead_hides_no_delay(health: Health, clock: Clock) -> None:
    """A position from the future counts as one of the moment it was first reported, however often it is reported again."""
    for _ in range(30):
        health.delivered(a_batch(reached=-3600))
        clock.now += 1
    assert health.lag() == 30


def test_a_stream_without_post_batch_tokens_knows_its_lag_only_while_changes_come(health: Health, clock: Clock) -> None:
    """Idle or stalled cannot be told apart: unknown. Where nothing is read at all it falls behind from its last change."""
    health.delivered(a_batch(committed(9), reached=9))
    assert health.lag() == 9
    health.delivered(a_batch(reached=9, unconfirmed=True))
    assert isnan(health.lag())
    health.waiting("MongoDB: nobody answers")
    clock.now += 60
    assert health.lag() == 69


def test_a_scan_is_healthy_for_as_long_as_it_takes(health: Health, clock: Clock) -> None:
    """The server owes the reply, on a connection that lives. The stream falls behind meanwhile, and says so."""
    health.delivered(a_batch())
    for _ in range(3_600):
        clock.now += 1
        assert health.reading(clock.now - 1000.0) == ("" if clock.now < 1000 + SCANNING_AFTER else "2026-11-22T08:00:00Z")
        assert health.healthy
    assert health.state == "scanning since 2026-11-22T08:00:00Z"
    assert (health.ready, health.condition, health.lag()) == (True, "tailing", 3_600)
    health.delivered(a_batch())
    assert health.state == "tailing"


def test_reads_that_fail_soon_every_time_are_no_scan(health: Health, clock: Clock) -> None:
    """A task that never gets anywhere stalls, though some read is outstanding whenever somebody looks."""
    health.delivered(a_batch())
    for _ in range(round(STALLED_AFTER / SCANNING_AFTER) + 1):
        health.reading(0.0)
        clock.now += SCANNING_AFTER
        health.reading(SCANNING_AFTER - 0.1)
        health.waiting("MongoDB: connection closed")
    assert not health.healthy
    assert not health.ready


def test_after_a_scan_that_failed_a_task_may_wait_as_after_any_other_read(health: Health, clock: Clock) -> None:
    """An hour's scan that a fail-over ends is no stall of an hour."""
    health.reading(0.0)
    clock.now += 3_600
    health.reading(3_600.0)
    health.waiting("MongoDB: the primary stepped down")
    assert (health.healthy, health.ready) == (True, False)
    clock.now += STALLED_AFTER
    assert not health.healthy


def test_a_batch_tells_how_long_its_oldest_change_took(health: Health, families: Families) -> None:
    """Once, and never below zero; an empty batch tells nothing."""
    metrics = families.streams[0]
    health.delivered(a_batch(committed(3), committed(1)))
    health.delivered(a_batch())
    health.delivered(a_batch(committed(-5)))
    assert metrics.commit_to_queue.take() == [3, 0]


def test_a_task_that_lost_its_lease_in_an_outage_falls_behind(health: Health, families: Families, clock: Clock) -> None:
    """From what it delivered last, until it sees that another task tails the stream."""
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


def test_what_a_task_delivered_says_nothing_of_another_stream(health: Health, families: Families) -> None:
    """Whether it tails it, lost it, or waits."""
    health.standby(Metrics("orders", families))
    health.delivered(a_batch())
    assert isnan(families.value(TAILER["Lag"], "orders"))
    health.lease_released()
    assert isnan(families.value(TAILER["Lag"], "orders"))


def test_of_a_stream_whose_lease_was_not_seen_nothing_is_known(health: Health, families: Families) -> None:
    """A spare that can look at one lease and not at another stands by for the one only."""
    health.lease_released()
    health.standby(Metrics("orders", families))
    health.standing_by(["orders"])
    assert isnan(families.value(TAILER["Lag"], "orders"))
    assert families.value(TAILER["Lag"], "payments") == 0


def test_the_age_of_the_checkpoint_is_known_while_on_duty(health: Health, families: Families) -> None:
    """A spare has none."""
    health.lease_acquired(families.streams[0], checkpoint_age=lambda: 4.5)
    assert families.value(TAILER["CheckpointAge"], "payments") == 4.5
    health.lease_released()
    assert isnan(families.value(TAILER["CheckpointAge"], "payments"))


def test_the_end_of_an_outage_is_said_once_and_where_its_beginning_was(
    health: Health, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Who reads nothing below a warning saw it begin, and must see that it is over."""
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
        ("WARNING", "continues after a wait of 42.0 s: tailing"),
        ("WARNING", "continues after a wait of 0.0 s: standing by"),
    ]


def test_a_stream_that_was_given_up_does_not_go_on(health: Health, caplog: pytest.LogCaptureFixture) -> None:
    """What its task does next is another matter."""
    health.waiting("the queue does not answer")
    health.stopped("payments", Metrics("payments"), ORIGIN)
    health.standing_by()
    assert caplog.records == []


@pytest.mark.parametrize(("delivered", "healthy"), [(None, False), (ORIGIN, True)])
def test_a_standby_that_could_not_take_over_every_stream_is_not_healthy(
    health: Health, delivered: Checkpoint | None, healthy: bool
) -> None:
    """A new task whose settings are wrong for one of several streams ends a deployment; whoever tails one stays, as it must."""
    health.lease_released()
    health.stopped("orders", Metrics("orders"), delivered)
    health.standing_by()
    assert health.healthy is healthy
    health.lease_acquired(Metrics("payments"))
    health.delivered(a_batch())
    assert health.healthy
