"""The deployed function with its queue: the event source mapping passes everything that watermarks and claims need."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from devstack import DevStack
from lambda_forwarder.parking.sqs import SqsParking
from tailer.aws.checks.forwarder import Forwarder
from tailer.aws.checks.queue import Queue
from tailer.checks import State
from tailrace.change import Change
from tailrace.dev.function import FUNCTION
from tailrace.dev.resources import CLAIM_BUCKET, TABLE
from tailrace.wire.message import group_id
from tests.lambda_forwarder.parking.test_parkings import parked
from tests.lambda_forwarder.values import body, claiming, forever, gap, inserted, sent_id

LANE = 17
SECONDS = 30.0


@pytest.fixture(scope="module")
def deployed(services: None) -> Iterator[DevStack]:
    with DevStack() as stack:
        yield stack


def send(stack: DevStack, *changes: Change, sent: str | None = None) -> None:
    """Send a message as the tailer does, unless another deduplication id is given."""
    text = body(*changes, lane=LANE)
    stack.aws("sqs").send_message(
        QueueUrl=stack.resources.queue_url,
        MessageBody=text,
        MessageGroupId=group_id("payments", LANE),
        MessageDeduplicationId=sent or sent_id(text),
    )


def received_sequences(stack: DevStack, until: int) -> Sequence[int]:
    """Return the sequences that the consumer receives, up to this one."""
    consumer = stack.consumer()
    events = consumer.receive_until(lambda so_far: any(event.metadata.sequence == until for event in so_far), SECONDS)
    return [event.metadata.sequence for event in events]


def test_duplicates_are_dropped_and_messages_sent_again_are_published(deployed: DevStack) -> None:
    """
    Overlapping messages of a restarted tailer arrive once and in order. A parked change that a person sends again arrives
    although its lane is further. The table has the lane's watermark.
    """
    payments = [inserted(str(number), number) for number in range(1, 8)]
    send(deployed, *payments[:3])
    send(deployed, *payments[1:5])
    send(deployed, *payments[:2])
    send(deployed, payments[5])
    assert received_sequences(deployed, 6) == [1, 2, 3, 4, 5, 6]

    send(deployed, payments[1], sent="4d0f1f2e-0d3c-4c0c-9f1a-2b1a8c1d4e5f")
    send(deployed, payments[6])
    assert received_sequences(deployed, 7) == [2, 7]

    key = {"pk": {"S": f"lane/payments.{LANE}"}}
    item = deployed.aws("dynamodb").get_item(TableName=TABLE, Key=key)["Item"]
    assert (item["generation"]["N"], item["sequence"]["N"]) == ("1", "7")


def test_claimed_change_and_gap_arrive(deployed: DevStack) -> None:
    claimed, content = claiming(inserted("large", 101, note="x" * 2_000_000), bucket=CLAIM_BUCKET, key="test_function.json")
    deployed.aws("s3").put_object(Bucket=CLAIM_BUCKET, Key="test_function.json", Body=content)
    send(deployed, claimed, gap(102))
    assert received_sequences(deployed, 102) == [101, 102]


def test_deployed_redrive_publishes_parked_and_dead_letters(deployed: DevStack) -> None:
    """Invoked as by a schedule, they arrive late and leave their queues."""
    sqs, resources = deployed.aws("sqs"), deployed.resources
    send(deployed, inserted("newer", 209))
    assert received_sequences(deployed, 209) == [209]
    text = body(inserted("dead", 201), lane=LANE)
    fifo = {"MessageGroupId": group_id("payments", LANE), "MessageDeduplicationId": sent_id(text)}
    sqs.send_message(QueueUrl=resources.dead_letters_url, MessageBody=text, **fifo)
    SqsParking(sqs, resources.parking_url).park(
        [replace(parked("parked", 202), mapper="events.payments.payment_created")], forever
    )
    response = deployed.aws("lambda").invoke(FunctionName=resources.redrive, Payload=b"{}")
    report = json.loads(response["Payload"].read())
    assert "FunctionError" not in response, report
    assert (report["messages"], report["published"], report["late"], report["left"]) == (2, 2, 2, 0)
    events = deployed.consumer().receive_count(2, SECONDS)
    assert [(event.metadata.sequence, event.metadata.late) for event in events] == [(201, True), (202, True)]


def test_doctor_finds_a_function_that_cannot_import_its_mappers(deployed: DevStack) -> None:
    """It names the setting and the module."""
    functions = deployed.aws("lambda")
    variables = functions.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
    queue = Queue(deployed.resources.queue_url, deployed.aws, now=lambda: datetime.now(UTC))
    queue.exists()
    found = Forwarder(queue, deployed.resources.claim_bucket, deployed.aws)
    found.mapping()
    assert found.start().state is State.OK
    missing = {"FORWARDER_MAPPERS": "acme.events:MAPPERS"}
    functions.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": variables | missing})
    verdict = found.start()
    functions.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": variables})
    assert verdict.state is State.FAIL
    assert "FORWARDER_MAPPERS" in verdict.found
    assert "acme" in verdict.found
