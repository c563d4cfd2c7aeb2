"""Killed after any step of its work, the forwarder loses nothing when the queue delivers again."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest

from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import MemoryClaims, MemoryParking, MemoryPublisher, MemoryWatermarks
from lambda_forwarder.mappings import MAPPERS
from lambda_forwarder.model.entry import Entry
from tests.lambda_forwarder.values import body, claiming, delivery, forever, inserted


class Killed(BaseException):
    """The process ended here: no handler of the product's sees it."""


class Steps:
    """Passes every call to the neighbours on, and kills before or after the one that is its turn."""

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


class Halfway(MemoryPublisher):
    """Accepts half of what it is given, then is killed: with several calls to the bus, any part may have been accepted."""

    def publish(self, entries: Sequence[Entry], time_left: Any) -> Any:
        super().publish(entries[: len(entries) // 2], time_left)
        raise Killed


class World:
    """A queue of one group with four messages, and neighbours that outlive the process."""

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

    def invoke(self, steps: Steps, publisher: MemoryPublisher | None = None) -> None:
        """One invocation. Only when it answers does the queue forget what it did not report as failed."""
        forwarder = Forwarder(
            mappers=MAPPERS,
            publisher=steps.around(publisher or self.publisher),
            parking=steps.around(self.parking),
            watermarks=steps.around(self.watermarks),
            claims=steps.around(self.claims),
        )
        failed = forwarder.forward(self.queue, forever)
        steps.step()  # it was done, but the answer did not arrive
        self.queue = [one for one in self.queue if one.id in failed]

    def check(self) -> None:
        """Everything published or parked; first arrivals in order; a repeat under its own id."""
        names = {entry.id: entry.document.rpartition("/")[2] for entry in self.publisher.entries}
        assert list(names.values()) == ["a", "b", "d", "f", "g"]
        assert [item.sequence for item in self.parking.parked.values()] == [3, 5]
        assert self.watermarks.marks["payments.17"].sequence == 7
        assert self.queue == []


def test_killed_after_every_step_it_completes() -> None:
    """Before and after each call of each neighbour, and before the acknowledgement; then delivered again."""
    for kill_at in count(1):
        world = World()
        try:
            world.invoke(Steps(kill_at))
        except Killed:
            world.invoke(Steps(0))
            world.check()
            assert len(world.publisher.entries) <= 7  # at most the one message whose watermark was not written repeats
        else:
            assert kill_at > 30
            return


def test_killed_after_every_step_again_and_again_it_completes() -> None:
    """A process that is killed ever later comes to the end, one watermark at a time."""
    world = World()
    for kill_at in count(1):
        try:
            world.invoke(Steps(kill_at))
        except Killed:
            continue
        break
    world.check()


def test_a_whole_batch_delivered_again_is_published_once() -> None:
    """Everything was done but the acknowledgement: the repeat changes nothing at all."""
    world = World()
    queue = list(world.queue)
    world.invoke(Steps(0))
    before = list(world.publisher.entries)
    world.queue = queue
    world.invoke(Steps(0))
    world.check()
    assert world.publisher.entries == before


def test_killed_between_two_calls_to_the_bus_it_completes() -> None:
    """A part of a message was accepted: all of it comes again, the accepted part under the ids it had."""
    world = World()
    halfway = Halfway()
    with pytest.raises(Killed):
        world.invoke(Steps(0), halfway)
    world.publisher.entries += halfway.entries
    world.invoke(Steps(0))
    assert [entry.id for entry in world.publisher.entries].count(halfway.entries[0].id) == 2
    world.check()
