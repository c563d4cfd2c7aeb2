"""Lambda gets exactly the messages that failed, and a message group keeps its order."""

import json
from typing import Any

import pytest

from tailrace.consuming import Event, Events, handle, messages
from tests.tailrace.consuming.values import PaymentCancelled, delivered, record

EVENTS = Events(PaymentCancelled)


def ids(response: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


class Consumer:
    """Fails for the events with these sequences."""

    def __init__(self, *failing: int) -> None:
        self.handled: list[int] = []
        self._failing = failing

    def __call__(self, event: Event[PaymentCancelled]) -> None:
        if event.metadata.sequence in self._failing:
            raise RuntimeError("the database is gone")
        self.handled.append(event.metadata.sequence)


def batch(*bodies: object, groups: str = "") -> dict[str, Any]:
    return {"Records": [record(body, number, groups[number - 1 : number]) for number, body in enumerate(bodies, 1)]}


def test_each_event_is_handled_in_order() -> None:
    consumer = Consumer()
    assert ids(handle(batch(*(delivered(sequence=number) for number in (1, 2, 3))), EVENTS, consumer)) == []
    assert consumer.handled == [1, 2, 3]


def test_failed_message_alone_returns_to_a_standard_queue() -> None:
    consumer = Consumer(2)
    assert ids(handle(batch(*(delivered(sequence=number) for number in (1, 2, 3))), EVENTS, consumer)) == ["m-2"]
    assert consumer.handled == [1, 3]


def test_failed_message_holds_back_its_group_only() -> None:
    """In a FIFO queue."""
    consumer = Consumer(1)
    payload = batch(*(delivered(sequence=number) for number in (1, 2, 3, 4)), groups="abab")
    assert ids(handle(payload, EVENTS, consumer)) == ["m-1", "m-3"]
    assert consumer.handled == [2, 4]


def test_message_that_is_no_event_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    """It reaches the dead-letter queue; the log names the message and the reason."""
    consumer = Consumer()
    assert ids(handle(batch("hello", delivered(sequence=2)), EVENTS, consumer)) == ["m-1"]
    assert consumer.handled == [2]
    [line] = caplog.records
    assert (line.__dict__["action"], line.__dict__["id"]) == ("message_failed", "m-1")
    assert "NotAnEvent" in caplog.text


def test_event_without_a_queue_fails_the_invocation() -> None:
    """EventBridge invoked the function: Lambda invokes it again."""
    consumer = Consumer(2)
    assert ids(handle(delivered(sequence=1), EVENTS, consumer)) == []
    with pytest.raises(RuntimeError, match="the database is gone"):
        handle(delivered(sequence=2), EVENTS, consumer)
    assert consumer.handled == [1]


def test_message_has_what_its_queue_needs() -> None:
    """The receipt to delete it, and its group, from Lambda and from ReceiveMessage."""
    body = json.dumps(delivered())
    response = {"Messages": [{"MessageId": "m-1", "ReceiptHandle": "r-1", "Body": body, "Attributes": {"MessageGroupId": "a"}}]}
    [from_sqs], [from_lambda] = messages(response), messages(batch(body, groups="a"))
    assert from_sqs == from_lambda
    assert (from_sqs.id, from_sqs.receipt, from_sqs.group) == ("m-1", "r-1", "a")
