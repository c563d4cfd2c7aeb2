"""When the forwarder checks that its bus exists, and what it reports about a missing bus. Bus and clock are in memory."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from lambda_forwarder.errors import BusGone, Misconfigured, Unavailable
from lambda_forwarder.in_memory import MemoryPublisher
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Published, TimeLeft
from lambda_forwarder.publishing.bus_checks import BusCheckingPublisher
from tests.lambda_forwarder.values import forever, noted

START = datetime(2026, 11, 22, 13, 50, 17, 250_000, UTC)


class SilentBus(MemoryPublisher):
    """A bus that drops events while it is missing, without an error; ``steps`` are the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.response: Exception | None = None
        self.steps: list[str] = []

    def check(self) -> None:
        self.steps.append("ask")
        if self.response:
            raise self.response

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        self.steps.append("publish")
        return super().publish([] if isinstance(self.response, Misconfigured) else entries, time_left)


class StartedFunction:
    """A function that has just started: its bus exists."""

    def __init__(self) -> None:
        self.bus = SilentBus()
        self.now = START
        self.publisher = BusCheckingPublisher(self.bus, lambda: self.bus.check(), now=lambda: self.now)
        self.publisher.check()
        self.bus.steps.clear()

    def publish(self, seconds: float = 0, *, happened: datetime | None = None, left: TimeLeft = forever) -> Published:
        """Publish one event after this many seconds, of a change of that moment unless it happened earlier."""
        self.now += timedelta(seconds=seconds)
        return self.publisher.publish([replace(noted("a", 1), time=happened or self.now)], left)

    def delete(self) -> None:
        self.bus.response = Misconfigured("FORWARDER_EVENT_BUS: there is no bus 'payments'")


@pytest.fixture
def started() -> StartedFunction:
    return StartedFunction()


def test_bus_is_checked_once_a_minute_after_publishing(started: StartedFunction) -> None:
    """Events published before a successful check have reached the bus."""
    for _ in range(36):
        started.publish(10)
    assert started.bus.steps == [*["publish"] * 6, "ask"] * 6


def test_idle_function_checks_the_bus_after_its_first_event(started: StartedFunction) -> None:
    started.publish(86_400)
    assert started.bus.steps == ["publish", "ask"]


def test_missing_bus_fails_the_publish_and_says_since_when(started: StartedFunction) -> None:
    """A rewind to this time brings every lost event back."""
    started.publish(59)
    started.delete()
    with pytest.raises(BusGone) as raised:
        started.publish(1)
    assert str(raised.value) == (
        "FORWARDER_EVENT_BUS: there is no bus 'payments'; events published since 2026-11-22T13:50:17Z may be lost: "
        "once the bus exists again, publish them again with tailer checkpoint rewind --to 2026-11-22T13:50:17Z"
    )


def test_missing_bus_names_the_oldest_change_published_since(started: StartedFunction) -> None:
    """A late stream or a redrive publishes changes that happened long before the last check."""
    long_ago = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    started.publish(10, happened=long_ago - timedelta(days=1))
    started.publish(50)  # The check succeeds: every event so far has arrived.
    for later in (long_ago + timedelta(hours=1), long_ago, long_ago + timedelta(hours=2)):
        started.publish(10, happened=later)
    started.delete()
    with pytest.raises(BusGone, match=r"since 2026-11-22T13:51:17Z .* rewind --to 2026-11-21T08:00:00Z$"):
        started.publish(30)


def test_missing_bus_says_when_no_acknowledged_event_is_lost(started: StartedFunction) -> None:
    """Each event was followed by a check."""
    started.publish(300)
    started.delete()
    with pytest.raises(BusGone, match=r"existed at 2026-11-22T13:55:17Z, and no event that was acknowledged"):
        started.publish(300)


def test_nothing_is_published_while_the_bus_is_missing(started: StartedFunction) -> None:
    """An event published just before the bus is recreated would be dropped and acknowledged."""
    started.delete()
    for seconds in (60, 1, 1):
        with pytest.raises(BusGone):
            started.publish(seconds)
    assert started.bus.steps == ["publish", "ask", "ask", "ask"]
    started.bus.response = None
    started.publish()
    started.publish(1)
    assert started.bus.steps[4:] == ["ask", "publish", "publish"]
    assert len(started.bus.entries) == 2


def test_failed_check_keeps_the_published_events(started: StartedFunction, caplog: pytest.LogCaptureFixture) -> None:
    """The check is repeated a minute later."""
    started.bus.response = Unavailable("DescribeEventBus: ThrottlingException")
    with caplog.at_level(logging.WARNING):
        assert started.publish(60) == started.publish(59) == Published()
    [line] = caplog.records
    assert (line.__dict__["action"], "ThrottlingException" in line.getMessage()) == ("bus_not_seen", True)
    assert started.bus.steps == ["publish", "ask", "publish"]
    started.delete()
    with pytest.raises(BusGone, match="since 2026-11-22T13:50:17Z may be lost"):
        started.publish(1)


def test_missing_bus_with_a_failed_check_gets_no_events(started: StartedFunction) -> None:
    """The messages wait."""
    started.delete()
    with pytest.raises(BusGone):
        started.publish(60)
    started.bus.response = Unavailable("DescribeEventBus: ThrottlingException")
    with pytest.raises(Unavailable):
        started.publish(60)
    assert started.bus.steps.count("publish") == 1


def test_check_waits_for_the_next_publish_when_the_time_is_up(started: StartedFunction) -> None:
    """The function must end before Lambda ends it. Events published meanwhile are not yet known to have arrived."""
    times = iter((60.0, 0.0))
    started.publish(60, left=lambda: next(times))
    assert started.bus.steps == ["publish"]
    started.delete()
    with pytest.raises(BusGone, match="may be lost"):
        started.publish(1)


def test_successful_check_counts_from_its_start(started: StartedFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bus may have been deleted during the check."""
    check = started.bus.check

    def slow() -> None:
        started.now += timedelta(seconds=8)
        check()

    monkeypatch.setattr(started.bus, "check", slow)
    started.publish(60)
    started.delete()
    with pytest.raises(BusGone, match="existed at 2026-11-22T13:51:17Z"):
        started.publish(52)


def test_no_events_need_no_check(started: StartedFunction) -> None:
    started.now += timedelta(hours=1)
    assert started.publisher.publish([], forever) == Published()
    assert started.bus.steps == ["publish"]


def test_failed_publish_needs_no_check(started: StartedFunction) -> None:
    """The message is received again."""
    with pytest.raises(Unavailable):
        started.publish(60, left=lambda: 0.0)
    assert started.bus.steps == ["publish"]


def test_clock_set_back_causes_a_check_at_once(started: StartedFunction) -> None:
    started.publish(-3_600)
    started.publish(1)
    assert started.bus.steps == ["publish", "ask", "publish"]


def test_function_without_a_check_checks_after_its_first_event() -> None:
    bus = SilentBus()
    bus.response = Misconfigured("there is no bus")
    with pytest.raises(BusGone, match=r"^there is no bus$"):
        BusCheckingPublisher(bus, bus.check, now=lambda: START).publish([noted("a", 1)], forever)
