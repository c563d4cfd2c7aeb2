"""What a task knows of its own delay: never less than is true, whatever waits and whichever clock is wrong."""

from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any

import pytest

from contract.change import Change
from contract.figures import TAILER
from tailer.metrics import Families, Metrics
from tailer.model import Batch, Checkpoint
from tailer.pulse import SCANNING_AFTER, STALLED_AFTER, Pulse
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
def pulse(clock: Clock, families: Families) -> Pulse:
    start = clock.now
    pulse = Pulse(clock=clock, now=lambda: NOW + timedelta(seconds=clock.now - start))
    pulse.on_duty(Metrics("payments", families))
    return pulse


def committed(seconds_ago: float) -> Change:
    return a_change(wall_time=(NOW - timedelta(seconds=seconds_ago)).isoformat())


def a_batch(*changes: Change, reached: float = 0, **checkpoint: Any) -> Batch:
    """Up to so many seconds ago."""
    return Batch(changes=changes, checkpoint=a_checkpoint(NOW - timedelta(seconds=reached), **checkpoint))


def test_an_empty_reply_is_as_far_behind_as_its_token(pulse: Pulse, clock: Clock) -> None:
    """The server may have looked at nothing yet; replies that come show nothing, the time of their token does."""
    for _ in range(40):
        pulse.delivered(a_batch(reached=300))
        clock.now += 1
    assert pulse.lag() == 340
    pulse.delivered(a_batch(reached=0))
    assert pulse.lag() == 40


def test_a_server_whose_clock_is_ahead_hides_no_delay(pulse: Pulse, clock: Clock) -> None:
    """A position from the future counts as one of the moment it was first reported, however often it is reported again."""
    for _ in range(30):
        pulse.delivered(a_batch(reached=-3600))
        clock.now += 1
    assert pulse.lag() == 30


def test_a_stream_without_post_batch_tokens_knows_its_lag_only_while_changes_come(pulse: Pulse, clock: Clock) -> None:
    """Idle or stalled cannot be told apart: unknown. Where nothing is read at all it falls behind from its last change."""
    pulse.delivered(a_batch(committed(9), reached=9))
    assert pulse.lag() == 9
    pulse.delivered(a_batch(reached=9, unconfirmed=True))
    assert isnan(pulse.lag())
    pulse.waiting("MongoDB: nobody answers")
    clock.now += 60
    assert pulse.lag() == 69


def test_a_scan_is_healthy_for_as_long_as_it_takes(pulse: Pulse, clock: Clock) -> None:
    """The server owes the reply, on a connection that lives. The stream falls behind meanwhile, and says so."""
    pulse.delivered(a_batch())
    for _ in range(3_600):
        clock.now += 1
        assert pulse.reading(clock.now - 1000.0) == ("" if clock.now < 1000 + SCANNING_AFTER else "2026-11-22T08:00:00Z")
        assert pulse.healthy
    assert pulse.state == "scanning since 2026-11-22T08:00:00Z"
    assert (pulse.ready, pulse.condition, pulse.lag()) == (True, "tailing", 3_600)
    pulse.delivered(a_batch())
    assert pulse.state == "tailing"


def test_reads_that_fail_soon_every_time_are_no_scan(pulse: Pulse, clock: Clock) -> None:
    """A task that never gets anywhere stalls, though some read is outstanding whenever somebody looks."""
    pulse.delivered(a_batch())
    for _ in range(round(STALLED_AFTER / SCANNING_AFTER) + 1):
        pulse.reading(0.0)
        clock.now += SCANNING_AFTER
        pulse.reading(SCANNING_AFTER - 0.1)
        pulse.waiting("MongoDB: connection closed")
    assert not pulse.healthy
    assert not pulse.ready


def test_after_a_scan_that_failed_a_task_may_wait_as_after_any_other_read(pulse: Pulse, clock: Clock) -> None:
    """An hour's scan that a fail-over ends is no stall of an hour."""
    pulse.reading(0.0)
    clock.now += 3_600
    pulse.reading(3_600.0)
    pulse.waiting("MongoDB: the primary stepped down")
    assert (pulse.healthy, pulse.ready) == (True, False)
    clock.now += STALLED_AFTER
    assert not pulse.healthy


def test_a_batch_tells_how_long_its_oldest_change_took(pulse: Pulse, families: Families) -> None:
    """Once, and never below zero; an empty batch tells nothing."""
    metrics = families.streams[0]
    pulse.delivered(a_batch(committed(3), committed(1)))
    pulse.delivered(a_batch())
    pulse.delivered(a_batch(committed(-5)))
    assert metrics.commit_to_queue.take() == [3, 0]


def test_a_task_that_lost_its_lease_in_an_outage_falls_behind(pulse: Pulse, families: Families, clock: Clock) -> None:
    """From what it delivered last, until it sees that another task tails the stream."""
    pulse.delivered(a_batch())
    pulse.off_duty()
    pulse.waiting("DynamoDB: nobody answers")
    clock.now += 400
    assert (pulse.lag(), families.value(TAILER["Lag"], "payments")) == (400, 400)
    assert families.value(TAILER["LeaseOwner"], "payments") == 0
    pulse.standing_by()
    assert (pulse.lag(), families.value(TAILER["Lag"], "payments")) == (0, 0)
    pulse.waiting("DynamoDB: nobody answers")
    assert isnan(pulse.lag())
    assert isnan(families.value(TAILER["Lag"], "payments"))


def test_what_a_task_delivered_says_nothing_of_another_stream(pulse: Pulse, families: Families) -> None:
    """Whether it tails it, lost it, or waits."""
    pulse.spare(Metrics("orders", families))
    pulse.delivered(a_batch())
    assert isnan(families.value(TAILER["Lag"], "orders"))
    pulse.off_duty()
    assert isnan(families.value(TAILER["Lag"], "orders"))


def test_of_a_stream_whose_lease_was_not_seen_nothing_is_known(pulse: Pulse, families: Families) -> None:
    """A spare that can look at one lease and not at another stands by for the one only."""
    pulse.off_duty()
    pulse.spare(Metrics("orders", families))
    pulse.standing_by(["orders"])
    assert isnan(families.value(TAILER["Lag"], "orders"))
    assert families.value(TAILER["Lag"], "payments") == 0


def test_the_age_of_the_checkpoint_is_known_while_on_duty(pulse: Pulse, families: Families) -> None:
    """A spare has none."""
    pulse.on_duty(families.streams[0], checkpoint_age=lambda: 4.5)
    assert families.value(TAILER["CheckpointAge"], "payments") == 4.5
    pulse.off_duty()
    assert isnan(families.value(TAILER["CheckpointAge"], "payments"))


def test_the_end_of_an_outage_is_said_once_and_where_its_beginning_was(
    pulse: Pulse, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Who reads nothing below a warning saw it begin, and must see that it is over."""
    pulse.delivered(a_batch())
    for _ in range(3):
        pulse.waiting("the queue does not answer")
        clock.now += 14
    pulse.delivered(a_batch())
    pulse.delivered(a_batch())
    pulse.waiting("the database does not answer")
    pulse.standing_by()
    pulse.standing_by()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "goes on after 42.0 s: tailing"),
        ("WARNING", "goes on after 0.0 s: standing by"),
    ]


def test_a_stream_that_was_given_up_does_not_go_on(pulse: Pulse, caplog: pytest.LogCaptureFixture) -> None:
    """What its task does next is another matter."""
    pulse.waiting("the queue does not answer")
    pulse.stopped("payments", Metrics("payments"), ORIGIN)
    pulse.standing_by()
    assert caplog.records == []


@pytest.mark.parametrize(("delivered", "healthy"), [(None, False), (ORIGIN, True)])
def test_a_standby_that_could_not_take_over_every_stream_is_not_healthy(
    pulse: Pulse, delivered: Checkpoint | None, healthy: bool
) -> None:
    """A new task whose settings are wrong for one of several streams ends a deployment; whoever tails one stays, as it must."""
    pulse.off_duty()
    pulse.stopped("orders", Metrics("orders"), delivered)
    pulse.standing_by()
    assert pulse.healthy is healthy
    pulse.on_duty(Metrics("payments"))
    pulse.delivered(a_batch())
    assert pulse.healthy
