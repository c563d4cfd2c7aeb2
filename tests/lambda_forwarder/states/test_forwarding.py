"""The forwarder with last states: crashes, outages, and changes that no mapper may see."""

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from lambda_forwarder.errors import Unavailable
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.in_memory import (
    MemoryBacklog,
    MemoryClaims,
    MemoryLastStates,
    MemoryParking,
    MemoryPublisher,
    MemoryWatermarks,
)
from lambda_forwarder.redriving.queues import dead_letter_queue
from lambda_forwarder.redriving.reader import Options
from lambda_forwarder.redriving.redriver import Redriver
from lambda_forwarder.states.remembering import Remembering
from tailrace.change import Change
from tailrace.events import Mappers, remembers
from tests.lambda_forwarder.test_crashes import Killed, KillSwitch
from tests.lambda_forwarder.values import Noted, body, claiming, delivery, forever, inserted, stub


@remembers("status")
def noted(change: Change) -> Noted | None:
    """The status became cancelled."""
    return Noted() if change.became("status", "cancelled") else None


MAPPERS: Mappers = {"payments": (noted,)}


def replaced(sequence: int, status: str) -> Change:
    whole = inserted(sequence=sequence, status=status)
    return replace(whole, operation_type="replace", cluster_time=f"1795330680.{sequence}")


LIFE = [
    body(inserted()),
    body(replaced(2, "created"), replaced(3, "cancelled")),
    body(replaced(4, "cancelled"), replaced(5, "created"), replaced(6, "cancelled")),
]
CANCELLED = [3, 6]


class Services:
    """What outlives the function."""

    def __init__(self) -> None:
        self.publisher, self.parking = MemoryPublisher(), MemoryParking()
        self.watermarks, self.states = MemoryWatermarks(), MemoryLastStates()

    def forwarder(self, around: Any = lambda service: service) -> Forwarder:
        return Forwarder(
            mappers=MAPPERS,
            publisher=around(self.publisher),
            parking=around(self.parking),
            watermarks=around(self.watermarks),
            remembering=Remembering(states=around(self.states), mappers=MAPPERS),
        )

    @property
    def published(self) -> list[int]:
        """The sequences of the changes with an event, in the order of their first events."""
        return list({entry.id: entry.change.sequence for entry in self.publisher.entries}.values())


def test_replaces_are_certain_whatever_step_the_function_is_killed_after() -> None:
    """Before and after each call: each cancellation is published under one id, and nothing is parked."""
    for kill_at in range(1, 100):
        services, queue = Services(), [delivery(text) for text in LIFE]
        switch = KillSwitch(kill_at)
        try:
            services.forwarder(switch.around).forward(queue, forever)
        except Killed:
            assert services.forwarder().forward(queue, forever) == []
        else:
            assert kill_at > 10
            return
        assert services.published == CANCELLED
        assert services.parking.parked == {}


class ThrottledStates(MemoryLastStates):
    """Fails at each write."""

    def write(self, changed: Any, time_left: Any) -> None:
        raise Unavailable("throttled")


def test_outage_of_the_table_holds_the_message_back() -> None:
    """Nothing is published or parked, and nothing is lost."""
    services, queue = Services(), [delivery(text) for text in LIFE]
    working, services.states = services.states, ThrottledStates()
    assert services.forwarder().forward(queue, forever) == [one.id for one in queue]
    assert (services.published, services.parking.parked, services.watermarks.marks) == ([], {}, {})
    services.states = working
    assert services.forwarder().forward(queue, forever) == []
    assert services.published == CANCELLED


@pytest.mark.parametrize(
    "unseen", [replace(stub("a", 2), document_key=inserted().document_key), claiming(replaced(2, "cancelled"))[0]]
)
def test_change_that_no_mapper_sees_makes_the_next_uncertain(unseen: Change) -> None:
    """The change after that is certain again."""
    services = Services()
    forwarder = services.forwarder()
    if unseen.claim:
        forwarder = dataclasses.replace(forwarder, claims=MemoryClaims())
    later = [replaced(3, "cancelled"), replaced(4, "created"), replaced(5, "cancelled")]
    assert forwarder.forward([delivery(body(inserted())), delivery(body(unseen)), delivery(body(*later))], forever) == []
    assert services.published == [5]
    assert [item.sequence for item in services.parking.parked.values()] == [2, 3]


def test_rehearsal_of_a_redrive_remembers_nothing() -> None:
    """A redrive does, and finds the values that its change had before its successors."""
    services = Services()
    first, second, last = (delivery(text) for text in LIFE)
    services.forwarder().forward([first, second], forever)
    before = dict(services.states.stored)
    for dry_run in (True, False):
        queue = dead_letter_queue(MemoryBacklog(waiting=[last, second]))
        Redriver(forwarder=services.forwarder(), queues=[queue]).redrive(forever, Options(dry_run=dry_run))
        assert (services.states.stored == before) is dry_run
    assert services.published == CANCELLED
