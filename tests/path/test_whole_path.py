"""From a committed document to a consumer after two buses: complete, in order per document, and repeats have the same id."""

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from devstack import DevStack
from devstack.documentdb.dialect import DocumentdbDialect
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
    wait_until(lambda: "unmapped" in status_of(path, "whole", collections=""), tailer.process, 60)
    [line] = status_of(path, "whole", collections="")["unmapped"]
    assert line.startswith("payments.refunds: 1 change since 20")
    assert tailer.stop() == 0


def test_cancellation_is_published_once_by_a_documentdb_that_describes_nothing(path: DevStack) -> None:
    """
    Without descriptions, pre-images and post-batch tokens, and whether the application updates or replaces its documents: also
    after kill -9, and with the same ids after a rewind. Nothing is parked.
    """
    payments, arrived = path.mongo.payments.payments, list[Received]()

    def receive(enough: Callable[[], bool]) -> None:
        deadline, consumer = time.monotonic() + 60, path.consumer()
        while not enough() and time.monotonic() < deadline:
            arrived.extend(consumer.receive())

    with DocumentdbDialect(path.mongod.ports[0], "documentdb-5.0-unpatched", update_description="absent") as server:
        server.enablement.replace([("payments", "payments")])
        settings = {"stream": "undescribed", "mongodb_uri": server.uri}
        first = path.start_tailer(**settings)
        first.wait_ready()
        begin = datetime.now(UTC)
        updated, replaced, both, never = (a_payment(number) for number in range(7001, 7005))
        payments.insert_many([updated, replaced, both, never])
        payments.update_one({"_id": updated["_id"]}, {"$set": {"status": "cancelled"}})
        payments.replace_one({"_id": replaced["_id"]}, replaced | {"status": "cancelled"})
        receive(lambda: len(_of(arrived, "PaymentCancelled")) == 2)
        first.kill()
        payments.update_one({"_id": both["_id"]}, {"$set": {"status": "cancelled"}})
        for payment in (updated, replaced, both):
            payments.update_one({"_id": payment["_id"]}, {"$set": {"note": "updated"}})
            payments.replace_one({"_id": payment["_id"]}, payment | {"status": "cancelled", "note": "replaced"})
        payments.replace_one({"_id": never["_id"]}, never | {"note": "replaced"})
        second = path.start_tailer(**settings)
        receive(lambda: len(_of(arrived, "PaymentCancelled")) == 3)
        wait_until(lambda: status_of(path, **settings)["sequence"] == 14, second.process, 60)
        assert second.stop() == 0

        tailer_command(path, "checkpoint", "rewind", "--to", f"{begin:%Y-%m-%dT%H:%M:%SZ}", **settings)
        third = path.start_tailer(**settings)
        receive(lambda: len(_again(arrived)) == 7)
        assert third.stop() == 0
    assert len(_of(arrived, "PaymentCreated")) == 4
    assert sorted(_of(arrived, "PaymentCancelled").values()) == [
        f"payments.payments/payment-{number}" for number in (7001, 7002, 7003)
    ]
    found = path.aws("sqs").receive_message(QueueUrl=path.resources.parking_url, MaxNumberOfMessages=10).get("Messages", [])
    assert [message["Body"] for message in found if "undescribed" in message["Body"]] == []


def _of(events: Iterable[Received], name: str) -> dict[str, str]:
    """Return the documents of the events with this name, by the ids of the events."""
    return {event.id: event.document for event in events if event.name == name and event.metadata.stream == "undescribed"}


def _again(events: Iterable[Received]) -> set[str]:
    """Return the ids of the events that were published again, by the next generation."""
    ours = [event for event in events if event.metadata.stream == "undescribed"]
    first = min((event.metadata.generation for event in ours), default=0)
    return {event.id for event in ours if event.metadata.generation > first}


def status_of(path: DevStack, stream: str, **settings: str) -> dict[str, Any]:
    """Return the output of ``tailer status --json``."""
    found: dict[str, Any] = json.loads(tailer_command(path, "status", "--json", stream=stream, **settings))[stream]
    return found


def tailer_command(path: DevStack, *words: str, **settings: str) -> str:
    """Run a command of the tailer with these settings, and return what it prints."""
    ours = {f"TAILER_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-P", "-m", "tailer", *words]
    environment = os.environ | path.tailer_environment | ours
    return subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout
