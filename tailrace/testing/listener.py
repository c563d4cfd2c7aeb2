"""Waits for the events of a bus."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from tailrace.consuming import Event
from tailrace.dev.consumer import Consumer, Received
from tailrace.events import DomainEvent

E = TypeVar("E", bound=DomainEvent)

SECONDS = 30.0  # an event takes less than a second; a machine that runs other tests too is slower


class EventMissing(AssertionError):
    """An expected event did not arrive. The message names the events that did, and the changes that were parked."""


class Listener:
    """The events of one bus, from the moment of ``RunningProject.listen``."""

    def __init__(self, bus: str, consumer: Consumer, parked: Callable[[], list[str]]) -> None:
        self._bus = bus
        self._consumer = consumer
        self._parked = parked
        self._received: list[Received] = []

    def wait_for(self, event: type[E], *, seconds: float = SECONDS, **fields: object) -> Event[E]:
        """
        Return the first event of this class whose data has these fields: ``wait_for(OrderPaid, order_id="o-1")``. Each event is
        returned once; another call waits for the next one. Events that do not match stay for later calls, in any order.

        Raises:
            EventMissing: there was none within ``seconds``.
        """
        deadline, late = time.monotonic() + seconds, False
        while not (found := self._find(event, fields)):
            if late:
                raise EventMissing("\n  ".join(self._explanation(event, seconds, fields)))
            late = time.monotonic() > deadline
            self._received += self._consumer.receive()
        return found

    def _find(self, event: type[E], fields: dict[str, object]) -> Event[E] | None:
        """Return the first match, and remove it from the events that were received."""
        for number, received in enumerate(self._received):
            if (found := _typed(received, event)) and all(getattr(found.data, name) == fields[name] for name in fields):
                del self._received[number]
                return found
        return None

    def _explanation(self, event: type[DomainEvent], seconds: float, fields: dict[str, object]) -> list[str]:
        wanted = " ".join([event.__name__, *(f"{name}={value!r}" for name, value in fields.items())])
        others = [f"{one.name} of {one.document}: {one.data}" for one in self._received]
        return [
            f"{wanted} did not arrive on the bus {self._bus} within {seconds:g} s.",
            *(f"Arrived: {other}" for other in others or ["no other event"]),
            *(f"Parked: {reason}" for reason in self._parked()),
        ]


def _typed(received: Received, event: type[E]) -> Event[E] | None:
    """Return the event with its data as an object of this class, or None if it is another event."""
    kind: tuple[Any, ...] = (event.__name__, event.__source__, event.__version__)
    if (received.name, received.source, received.metadata.version) != kind:
        return None
    data = msgspec.convert(received.data, event)
    return Event(name=received.name, source=received.source, metadata=received.metadata, data=data, replay=received.replay)
