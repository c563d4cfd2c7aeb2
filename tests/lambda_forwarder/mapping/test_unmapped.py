"""When the forwarder keeps what no mapper reads: seldom, of its own streams, and never at the cost of a message."""

import logging
from collections.abc import Mapping, Sequence

import pytest
from msgspec.structs import replace

from lambda_forwarder.errors import Misconfigured, Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryParking, MemoryPublisher
from lambda_forwarder.mapping.unmapped import EVERY, Unmapped
from lambda_forwarder.model.entry import Entry
from lambda_forwarder.ports import Published, Publisher, TimeLeft
from tailrace.aws.unmapped import NAMES
from tailrace.events import Mappers
from tailrace.wire.change import Namespace
from tests.lambda_forwarder.values import body, cancelled, delivery, forever


class Content:
    """What it was given, call by call; it raises what it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, int]]] = []
        self.error: Exception | None = None

    def add(self, stream: str, counts: Mapping[str, int], time_left: TimeLeft) -> None:
        assert time_left() > 0
        self.calls.append((stream, dict(counts)))
        if self.error:
            raise self.error


class Function:
    """An execution environment without mappers, on a clock of its own."""

    def __init__(self, *streams: str, mappers: Mappers | None = None, publisher: Publisher | None = None) -> None:
        self.kept, self.seconds = Content(), 1_000.0
        unmapped = Unmapped(self.kept, streams, clock=lambda: self.seconds)
        self.forwarder = Forwarder(
            mappers=mappers or {}, publisher=publisher or MemoryPublisher(), parking=MemoryParking(), unmapped=unmapped
        )

    def receives(self, *collections: str, time_left: TimeLeft = forever) -> None:
        changes = [
            replace(cancelled("b", number), ns=Namespace(db="shop", coll=coll)) for number, coll in enumerate(collections, 1)
        ]
        assert self.forwarder.forward([delivery(body(*changes))], time_left) == []


def test_it_is_kept_at_once_and_then_once_a_minute() -> None:
    """However many messages come; what was counted meanwhile is kept with the next."""
    function = Function("payments")
    for _ in range(3):
        function.receives("orders", "orders", "refunds")
    assert function.kept.calls == [("payments", {"shop.orders": 2, "shop.refunds": 1})]
    function.seconds += EVERY
    function.receives("orders")
    function.receives("orders")
    assert function.kept.calls[1:] == [("payments", {"shop.orders": 5, "shop.refunds": 2})]


@pytest.mark.parametrize("streams", [(), ("others",)])
def test_only_streams_that_the_function_is_told_are_kept(streams: tuple[str, ...]) -> None:
    """Whoever may send to the queue can name a stream as they like; without FORWARDER_STREAMS nobody knows which there are."""
    function = Function(*streams)
    function.receives("orders")
    assert function.kept.calls == []


def test_where_all_is_mapped_nothing_is_asked() -> None:
    """A deployment without such collections pays for no call."""
    function = Function("payments", mappers={"orders": ()})
    function.receives("orders")
    assert function.kept.calls == []


@pytest.mark.parametrize("error", [Unavailable("slow"), Misconfigured("denied"), KeyError("version"), MemoryError()])
def test_a_table_that_does_not_take_it_fails_no_message(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it raises. It is asked again in a minute, with what it did not take."""
    caplog.set_level(logging.WARNING)
    function = Function("payments")
    function.kept.error = error
    for _ in range(2):
        function.receives("orders")
    assert [line.action for line in caplog.records if hasattr(line, "action")].count("unmapped_not_kept") == 1
    function.kept.error, function.seconds = None, function.seconds + EVERY
    function.receives("orders")
    assert function.kept.calls == [("payments", {"shop.orders": 1}), ("payments", {"shop.orders": 3})]


class Slow(MemoryPublisher):
    """Takes all the time there is."""

    left = 1.0

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        published = super().publish(entries, time_left)
        self.left = 0.0
        return published


def test_an_invocation_whose_time_is_up_leaves_it_to_the_next() -> None:
    """Messages come first."""
    publisher = Slow()
    function = Function("payments", publisher=publisher)
    function.receives("orders", time_left=lambda: publisher.left)
    assert function.kept.calls == []
    function.receives("orders")
    assert function.kept.calls == [("payments", {"shop.orders": 2})]


def test_names_that_somebody_makes_up_take_no_memory() -> None:
    """Between two writes there are as many as are kept, those with the most changes."""
    function = Function("payments")
    function.receives("first")
    for number in range(100):
        function.receives("orders", f"c{number}")
    function.seconds += EVERY
    function.receives("last")
    [_, (_, counts)] = function.kept.calls
    assert len(counts) == NAMES
    assert counts["shop.orders"] == 100
