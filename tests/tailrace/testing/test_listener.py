"""Waiting for the events of a bus, in the messages of a consumer's queue."""

import json
from typing import Any

import pytest

from tailrace.consuming import Event
from tailrace.dev.consumer import Consumer
from tailrace.testing import eventbridge, published
from tailrace.testing.listener import EventMissing, Listener
from tests.tailrace.testing.test_published import AT, OrderMoved, OrderPaid

FIRST = published(OrderPaid(order_id="o-1", paid_at=AT), document="shop.orders/o-1")
SECOND = published(OrderPaid(order_id="o-2", paid_at=AT), document="shop.orders/o-2")
MOVED = published(OrderMoved(customer="c-1", address={"city": "Ghent"}))


class Queue:
    """A queue of SQS as boto3 returns it, with these events."""

    def __init__(self, *events: Event[Any]) -> None:
        self._bodies = [json.dumps(eventbridge(event)) for event in events]

    def receive_message(self, **_: object) -> dict[str, Any]:
        messages = [{"MessageId": "m", "ReceiptHandle": "r", "Body": body} for body in self._bodies]
        self._bodies = []
        return {"Messages": messages}

    def delete_message_batch(self, **_: object) -> None: ...


def listener(*events: Event[Any]) -> Listener:
    return Listener("shop", Consumer(Queue(*events), "url"), lambda: ["orders #7: KeyError: 'total'; correct the mapper"])


def test_event_is_found_by_its_class_and_fields() -> None:
    """Its data is an object of the class. Other events stay for later calls, in any order."""
    events = listener(FIRST, MOVED, SECOND)
    assert events.wait_for(OrderPaid, order_id="o-2") == SECOND
    assert events.wait_for(OrderMoved).data == MOVED.data
    assert events.wait_for(OrderPaid, seconds=0) == FIRST


def test_each_event_is_returned_once() -> None:
    events = listener(FIRST)
    events.wait_for(OrderPaid)
    with pytest.raises(EventMissing, match=r"Arrived: no other event"):
        events.wait_for(OrderPaid, seconds=0)


def test_missing_event_is_explained() -> None:
    """By what arrived, and by what was parked."""
    with pytest.raises(EventMissing) as failure:
        listener(FIRST, MOVED).wait_for(OrderPaid, seconds=0, order_id="o-3")
    assert str(failure.value).splitlines() == [
        "OrderPaid order_id='o-3' did not arrive on the bus shop within 0 s.",
        "  Arrived: OrderPaid of shop.orders/o-1: {'orderId': 'o-1', 'paidAt': '2026-11-22T07:01:30.456000Z'}",
        f"  Arrived: OrderMoved of {MOVED.document}: {{'customer': 'c-1', 'address': {{'city': 'Ghent'}}}}",
        "  Parked: orders #7: KeyError: 'total'; correct the mapper",
    ]
