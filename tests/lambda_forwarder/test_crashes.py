"""Killed after any step of its work, the forwarder loses nothing when the queue redelivers."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest

from examples.payments.events import MAPPERS
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryClaims, MemoryParking, MemoryPublisher, MemoryWatermarks
from lambda_forwarder.model.entry import Entry
from tests.lambda_forwarder.values import body, claiming, delivery, forever, inserted


class Killed(BaseException):
    """The process ended here: no handler of the product catches it."""


class KillSwitch:
    """Passes calls on, and kills before or after a given call."""

    def __init__(self, kill_at: int) -> None:
        self.left = kill_at

    def around(self, neighbour: Any) -> Any:
        steps = self

        class Watched:
            def __getattr__(self, name: str) -> Callable[..., Any]:
                def call(*arguments: Any) -> Any:
                    steps.step()
                    response = getattr(neighbour, name)(*arguments)
                    steps.step()
                    return response

                return call

        return Watched()

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


class HalfPublisher(MemoryPublisher):
    """Accepts half of the entries and is killed, since with several calls to the bus any part may be accepted."""

    def publish(self, entries: Sequence[Entry], time_left: Any) -> Any:
        super().publish(entries[: len(entries) // 2], time_left)
        raise Killed


class CrashFixture:
    """A queue of one group with four messages, and services that outlive the process."""

    def __init__(self) -> None:
        claimed, content = claiming(inserted("d", 4))
        gone, _ = claiming(inserted("e", 5), key="gone")
        self.queue = [
            delivery(body(inserted("a", 1), inserted("b", 2))),
            delivery(body(inserted("c", 3, subscriptionId=7), claimed)),
            delivery(body(gone, inserted("f", 6))),
            delivery(body(inserted("g", 7))),
        ]
        self.publisher = MemoryPublisher()
        self.parking = MemoryParking()
        self.watermarks = MemoryWatermarks()
        self.claims = MemoryClaims(objects={"payments/1.json": content})

    def invoke(self, steps: KillSwitch, publisher: MemoryPublisher | None = None) -> None:
        """Invoke once. The queue deletes only what the response does not report as failed."""
        forwarder = Forwarder(
            mappers=MAPPERS,
            publisher=steps.around(publisher or self.publisher),
            parking=steps.around(self.parking),
            watermarks=steps.around(self.watermarks),
            claims=steps.around(self.claims),
        )
        failed = forwarder.forward(self.queue, forever)
        steps.step()  # The batch was done, but the response was lost.
        self.queue = [one for one in self.queue if one.id in failed]

    def check(self) -> None:
        """Assert that everything is published or parked, first arrivals are in order, and a repeat has the same id."""
        names = {entry.id: entry.document.rpartition("/")[2] for entry in self.publisher.entries}
        assert list(names.values()) == ["a", "b", "d", "f", "g"]
        assert [item.sequence for item in self.parking.parked.values()] == [3, 5]
        assert self.watermarks.marks["payments.17"].sequence == 7
        assert self.queue == []


def test_forwarder_killed_after_any_step_completes_on_redelivery() -> None:
    """Before and after each call, and before the acknowledgement."""
    for kill_at in count(1):
        world = CrashFixture()
        try:
            world.invoke(KillSwitch(kill_at))
        except Killed:
            world.invoke(KillSwitch(0))
            world.check()
            assert len(world.publisher.entries) <= 7  # Only the message whose watermark was not written repeats.
        else:
            assert kill_at > 30
            return


def test_forwarder_killed_again_and_again_completes() -> None:
    """One watermark at a time."""
    world = CrashFixture()
    for kill_at in count(1):
        try:
            world.invoke(KillSwitch(kill_at))
        except Killed:
            continue
        break
    world.check()


def test_redelivered_batch_is_published_once() -> None:
    """Only the acknowledgement was lost."""
    world = CrashFixture()
    queue = list(world.queue)
    world.invoke(KillSwitch(0))
    before = list(world.publisher.entries)
    world.queue = queue
    world.invoke(KillSwitch(0))
    world.check()
    assert world.publisher.entries == before


def test_forwarder_killed_between_two_calls_to_the_bus_completes() -> None:
    """The accepted part is published again under the same ids."""
    world = CrashFixture()
    halfway = HalfPublisher()
    with pytest.raises(Killed):
        world.invoke(KillSwitch(0), halfway)
    world.publisher.entries += halfway.entries
    world.invoke(KillSwitch(0))
    assert [entry.id for entry in world.publisher.entries].count(halfway.entries[0].id) == 2
    world.check()
