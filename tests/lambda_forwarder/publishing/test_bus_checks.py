"""When the bus is asked for, and what is said when it is gone. The bus is in memory, the clock is ours."""

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


class Bus(MemoryPublisher):
    """Drops what it is sent while it is not there, without a word; ``steps`` are what it was asked to do."""

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


class Watched:
    """A function that has just started: the bus was there."""

    def __init__(self) -> None:
        self.bus = Bus()
        self.now = START
        self.publisher = BusCheckingPublisher(self.bus, lambda: self.bus.check(), now=lambda: self.now)
        self.publisher.check()
        self.bus.steps.clear()

    def publish(self, seconds: float = 0, *, happened: datetime | None = None, left: TimeLeft = forever) -> Published:
        """One event, so many seconds later; of a change of that moment unless it happened earlier."""
        self.now += timedelta(seconds=seconds)
        return self.publisher.publish([replace(noted("a", 1), time=happened or self.now)], left)

    def delete(self) -> None:
        self.bus.response = Misconfigured("FORWARDER_EVENT_BUS: there is no bus 'payments'")


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_the_bus_is_asked_for_once_a_minute_and_behind_the_events(watched: Watched) -> None:
    """However many are published: what was published before a bus was seen has reached it, what comes behind it may not."""
    for _ in range(36):
        watched.publish(10)
    assert watched.bus.steps == [*["publish"] * 6, "ask"] * 6


def test_a_function_that_was_idle_asks_behind_its_first_event(watched: Watched) -> None:
    """A bus that was seen yesterday says nothing about today."""
    watched.publish(86_400)
    assert watched.bus.steps == ["publish", "ask"]


def test_a_bus_that_is_gone_fails_what_was_published_and_says_since_when(watched: Watched) -> None:
    """To the second below the time at which it was seen, so that going back there brings all of it back."""
    watched.publish(59)
    watched.delete()
    with pytest.raises(BusGone) as raised:
        watched.publish(1)
    assert str(raised.value) == (
        "FORWARDER_EVENT_BUS: there is no bus 'payments'; events published since 2026-11-22T13:50:17Z may be lost: "
        "once the bus exists again, publish them again with tailer checkpoint rewind --to 2026-11-22T13:50:17Z"
    )


def test_it_goes_back_to_the_oldest_change_that_was_published_meanwhile(watched: Watched) -> None:
    """A stream that is behind, or a redrive, publishes what happened long before the bus was seen."""
    long_ago = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    watched.publish(10, happened=long_ago - timedelta(days=1))
    watched.publish(50)  # the bus is seen: so far everything has arrived
    for later in (long_ago + timedelta(hours=1), long_ago, long_ago + timedelta(hours=2)):
        watched.publish(10, happened=later)
    watched.delete()
    with pytest.raises(BusGone, match=r"since 2026-11-22T13:51:17Z .* rewind --to 2026-11-21T08:00:00Z$"):
        watched.publish(30)


def test_it_says_where_nothing_that_was_acknowledged_can_be_lost(watched: Watched) -> None:
    """An event in five minutes: each of them was followed by a look."""
    watched.publish(300)
    watched.delete()
    with pytest.raises(BusGone, match=r"existed at 2026-11-22T13:55:17Z, and no event that was acknowledged"):
        watched.publish(300)


def test_once_gone_nothing_is_published_until_it_is_seen_again(watched: Watched) -> None:
    """Else what is published just before the bus comes back would be dropped and acknowledged."""
    watched.delete()
    for seconds in (60, 1, 1):
        with pytest.raises(BusGone):
            watched.publish(seconds)
    assert watched.bus.steps == ["publish", "ask", "ask", "ask"]
    watched.bus.response = None
    watched.publish()
    watched.publish(1)
    assert watched.bus.steps[4:] == ["ask", "publish", "publish"]
    assert len(watched.bus.entries) == 2


def test_a_question_without_an_response_changes_nothing(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """What was published counts; it is asked again a minute later; and a bus that is gone then was seen before."""
    watched.bus.response = Unavailable("DescribeEventBus: ThrottlingException")
    with caplog.at_level(logging.WARNING):
        assert watched.publish(60) == watched.publish(59) == Published()
    [line] = caplog.records
    assert (line.__dict__["action"], "ThrottlingException" in line.getMessage()) == ("bus_not_seen", True)
    assert watched.bus.steps == ["publish", "ask", "publish"]
    watched.delete()
    with pytest.raises(BusGone, match="since 2026-11-22T13:50:17Z may be lost"):
        watched.publish(1)


def test_a_bus_that_was_gone_and_is_not_known_to_be_back_gets_nothing(watched: Watched) -> None:
    """The messages wait."""
    watched.delete()
    with pytest.raises(BusGone):
        watched.publish(60)
    watched.bus.response = Unavailable("DescribeEventBus: ThrottlingException")
    with pytest.raises(Unavailable):
        watched.publish(60)
    assert watched.bus.steps.count("publish") == 1


def test_without_time_left_it_asks_at_the_next_occasion(watched: Watched) -> None:
    """The function must end before Lambda ends it; what it published meanwhile is not yet sure."""
    times = iter((60.0, 0.0))
    watched.publish(60, left=lambda: next(times))
    assert watched.bus.steps == ["publish"]
    watched.delete()
    with pytest.raises(BusGone, match="may be lost"):
        watched.publish(1)


def test_a_slow_response_counts_from_when_it_was_asked_for(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bus may have been deleted while its description was on its way."""
    check = watched.bus.check

    def slow() -> None:
        watched.now += timedelta(seconds=8)
        check()

    monkeypatch.setattr(watched.bus, "check", slow)
    watched.publish(60)
    watched.delete()
    with pytest.raises(BusGone, match="existed at 2026-11-22T13:51:17Z"):
        watched.publish(52)


def test_nothing_published_is_nothing_asked(watched: Watched) -> None:
    """Changes without an event drop nothing."""
    watched.now += timedelta(hours=1)
    assert watched.publisher.publish([], forever) == Published()
    assert watched.bus.steps == ["publish"]


def test_what_could_not_be_published_is_no_occasion(watched: Watched) -> None:
    """It comes again."""
    with pytest.raises(Unavailable):
        watched.publish(60, left=lambda: 0.0)
    assert watched.bus.steps == ["publish"]


def test_a_clock_that_was_put_back_does_not_put_off_the_question(watched: Watched) -> None:
    """It is asked at once, and counts from there."""
    watched.publish(-3_600)
    watched.publish(1)
    assert watched.bus.steps == ["publish", "ask", "publish"]


def test_who_never_looked_looks_behind_the_first_event() -> None:
    """Without a time at which it was there."""
    bus = Bus()
    bus.response = Misconfigured("there is no bus")
    with pytest.raises(BusGone, match=r"^there is no bus$"):
        BusCheckingPublisher(bus, bus.check, now=lambda: START).publish([noted("a", 1)], forever)
