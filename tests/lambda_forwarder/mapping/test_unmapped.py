"""When the forwarder records collections that no mapper reads: rarely, for its own streams, and never failing a message."""

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


class UnmappedFunction:
    """An execution environment without mappers and with its own clock."""

    def __init__(self, *streams: str, mappers: Mappers | None = None, publisher: Publisher | None = None) -> None:
        self.kept, self.seconds = Content(), 1_000.0
        unmapped = Unmapped(self.kept, streams, clock=lambda: self.seconds)
        self.forwarder = Forwarder(
            mappers=mappers or {}, publisher=publisher or MemoryPublisher(), parking=MemoryParking(), unmapped=unmapped
        )

    def receive(self, *collections: str, time_left: TimeLeft = forever) -> None:
        changes = [
            replace(cancelled("b", number), ns=Namespace(db="shop", coll=coll)) for number, coll in enumerate(collections, 1)
        ]
        assert self.forwarder.forward([delivery(body(*changes))], time_left) == []


def test_unmapped_counts_are_written_at_once_and_then_once_a_minute() -> None:
    """Counts of the time between are written with the next message."""
    function = UnmappedFunction("payments")
    for _ in range(3):
        function.receive("orders", "orders", "refunds")
    assert function.kept.calls == [("payments", {"shop.orders": 2, "shop.refunds": 1})]
    function.seconds += EVERY
    function.receive("orders")
    function.receive("orders")
    assert function.kept.calls[1:] == [("payments", {"shop.orders": 5, "shop.refunds": 2})]


@pytest.mark.parametrize("streams", [(), ("others",)])
def test_only_configured_streams_are_recorded(streams: tuple[str, ...]) -> None:
    """The sender of a message chooses the stream's name. Without FORWARDER_STREAMS none is recorded."""
    function = UnmappedFunction(*streams)
    function.receive("orders")
    assert function.kept.calls == []


def test_nothing_is_written_when_every_collection_is_mapped() -> None:
    function = UnmappedFunction("payments", mappers={"orders": ()})
    function.receive("orders")
    assert function.kept.calls == []


@pytest.mark.parametrize("error", [Unavailable("slow"), Misconfigured("denied"), KeyError("version"), MemoryError()])
def test_failing_store_fails_no_message(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it raises. The counts are written again a minute later."""
    caplog.set_level(logging.WARNING)
    function = UnmappedFunction("payments")
    function.kept.error = error
    for _ in range(2):
        function.receive("orders")
    assert [line.action for line in caplog.records if hasattr(line, "action")].count("unmapped_not_kept") == 1
    function.kept.error, function.seconds = None, function.seconds + EVERY
    function.receive("orders")
    assert function.kept.calls == [("payments", {"shop.orders": 1}), ("payments", {"shop.orders": 3})]


class SlowPublisher(MemoryPublisher):
    """Uses up all the time."""

    left = 1.0

    def publish(self, entries: Sequence[Entry], time_left: TimeLeft) -> Published:
        published = super().publish(entries, time_left)
        self.left = 0.0
        return published


def test_unmapped_counts_wait_when_the_time_is_up() -> None:
    """Messages come first."""
    publisher = SlowPublisher()
    function = UnmappedFunction("payments", publisher=publisher)
    function.receive("orders", time_left=lambda: publisher.left)
    assert function.kept.calls == []
    function.receive("orders")
    assert function.kept.calls == [("payments", {"shop.orders": 2})]


def test_recorded_names_are_bounded() -> None:
    """The collections with the most changes are kept."""
    function = UnmappedFunction("payments")
    function.receive("first")
    for number in range(100):
        function.receive("orders", f"c{number}")
    function.seconds += EVERY
    function.receive("last")
    [_, (_, counts)] = function.kept.calls
    assert len(counts) == NAMES
    assert counts["shop.orders"] == 100
