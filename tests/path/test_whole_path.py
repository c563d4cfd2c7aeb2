"""From a committed document to a consumer after two buses: complete, in order per document, and repeats have the same id."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from devstack import DevStack
from tailrace.dev.consumer import Received
from tailrace.dev.loopback import wait_until


@pytest.fixture(scope="module")
def path(services: None) -> Iterator[DevStack]:
    with DevStack() as stack:
        yield stack


def a_payment(number: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "_id": f"payment-{number}",
        "subscriptionId": f"subscription-{number}",
        "accountNumber": "12345678",
        "status": "created",
        "created": now,
        "updated": now,
    }


def test_changes_written_while_the_tailer_was_down_arrive(path: DevStack) -> None:
    """All 1,000 arrive from the stored resume token, in order per document, without a repeat of earlier ones."""
    payments = path.mongo.payments.payments
    first = path.start_tailer()
    first.wait_ready()
    payments.insert_one(a_payment(0))
    consumer = path.consumer()
    assert [event.document for event in consumer.receive_count(1, 20)] == ["payments.payments/payment-0"]
    first.kill()

    payments.insert_many([a_payment(number) for number in range(1, 501)])
    for number in range(1, 501):
        payments.update_one({"_id": f"payment-{number}"}, {"$set": {"status": "cancelled", "updated": datetime.now(UTC)}})

    second = path.start_tailer()
    arrived = consumer.receive_until(lambda so_far: len(_new(so_far)) >= 1000, 90)
    assert second.stop() == 0
    by_document: dict[str, list[Received]] = defaultdict(list)
    for event in _new(arrived).values():
        by_document[event.document].append(event)
    assert len(by_document) == 500
    for of_document in by_document.values():
        assert [event.name for event in of_document] == ["PaymentCreated", "PaymentCancelled"]
        assert of_document[0].position < of_document[1].position
    sequences = sorted(event.metadata.sequence for of_document in by_document.values() for event in of_document)
    assert sequences == list(range(2, 1002))


def _new(events: Iterable[Received]) -> dict[str, Received]:
    """Return the events by id in order of first arrival, without those that arrived before the kill."""
    new: dict[str, Received] = {}
    for event in events:
        if event.metadata.sequence > 1:
            new.setdefault(event.id, event)
    return new


def test_foreign_message_is_parked_and_its_group_continues(path: DevStack) -> None:
    """It is kept with a reason."""
    sqs, resources = path.aws("sqs"), path.resources
    sqs.send_message(
        QueueUrl=resources.queue_url, MessageBody="hello", MessageGroupId="payments.0", MessageDeduplicationId="hello"
    )
    parked = sqs.receive_message(QueueUrl=resources.parking_url, WaitTimeSeconds=10)["Messages"][0]["Body"]
    assert "hello" in parked
    assert "not a change message" in parked


def test_document_that_fails_its_mapper_is_parked_with_the_reason(path: DevStack) -> None:
    """The next payment arrives."""
    tailer = path.start_tailer()
    tailer.wait_ready()
    poison = a_payment(9001)
    del poison["subscriptionId"]
    path.mongo.payments.payments.insert_many([poison, a_payment(9002)])
    arrived = path.consumer().receive_until(lambda so_far: any(e.document.endswith("9002") for e in so_far), 20)
    assert not any(event.document.endswith("9001") for event in arrived)
    sqs, bodies = path.aws("sqs"), []
    while messages := sqs.receive_message(QueueUrl=path.resources.parking_url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in messages]
    assert any("payment-9001" in body and "subscriptionId" in body for body in bodies)
    assert tailer.stop() == 0


def test_status_shows_an_unmapped_collection(path: DevStack) -> None:
    """By the name of the collection, with its number of changes."""
    functions, name = path.aws("lambda"), path.resources.function
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    told = {**variables, "FORWARDER_STREAMS": "payments,whole"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": told})
    tailer = path.start_tailer(stream="whole", collections="")
    tailer.wait_ready()
    path.mongo.payments.refunds.insert_one({})
    wait_until(lambda: "unmapped" in status_of(path, "whole"), tailer.process, 60)
    [line] = status_of(path, "whole")["unmapped"]
    assert line.startswith("payments.refunds: 1 change since 20")
    assert tailer.stop() == 0


def status_of(path: DevStack, stream: str) -> dict[str, Any]:
    """Return the output of ``tailer status --json``."""
    environment = os.environ | path.tailer_environment | {"TAILER_STREAM": stream, "TAILER_COLLECTIONS": ""}
    command = [sys.executable, "-P", "-m", "tailer", "status", "--json"]
    printed = subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout
    found: dict[str, Any] = json.loads(printed)[stream]
    return found
