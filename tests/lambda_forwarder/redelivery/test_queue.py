"""The source queue, on the emulator: it returns messages after the requested time and in order."""

import time
from uuid import uuid4

import pytest
from msgspec.structs import replace

from lambda_forwarder.errors import Misconfigured
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.redelivery.sqs import SqsQueue
from tailrace.dev.aws import Aws, arn
from tests.lambda_forwarder.values import delivery, forever

HIDDEN = 60  # seconds, the queue's visibility timeout


@pytest.fixture
def name(aws: Aws) -> str:
    name = f"{uuid4().hex}.fifo"
    attributes = {"FifoQueue": "true", "VisibilityTimeout": str(HIDDEN), "ContentBasedDeduplication": "true"}
    aws("sqs").create_queue(QueueName=name, Attributes=attributes)
    return name


def received(aws: Aws, name: str) -> list[Delivery]:
    url = aws("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    found = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"])
    return [
        replace(
            delivery(one["Body"], group=one["Attributes"]["MessageGroupId"], message_id=one["MessageId"]),
            receipt=one["ReceiptHandle"],
            queue_arn=arn("sqs", name),
        )
        for one in found.get("Messages", [])
    ]


def send(aws: Aws, name: str, *texts: str) -> None:
    url = aws("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    for text in texts:
        aws("sqs").send_message(QueueUrl=url, MessageBody=text, MessageGroupId=text[0])


def test_messages_become_visible_after_the_requested_time(aws: Aws, name: str) -> None:
    """Messages of a group together and in order."""
    send(aws, name, "a1", "b1", "a2", "b2")
    first = received(aws, name)
    assert sorted(one.body for one in first) == ["a1", "a2", "b1", "b2"]
    assert received(aws, name) == []
    SqsQueue(aws("sqs")).hide([(one, 0.0 if one.body[0] == "a" else 1.0) for one in first], forever)
    assert [one.body for one in received(aws, name)] == ["a1", "a2"]
    time.sleep(1.1)
    assert [one.body for one in received(aws, name)] == ["b1", "b2"]


def test_queue_of_another_account_is_misconfigured(aws: Aws) -> None:
    """The error has its name and the call."""
    with pytest.raises(Misconfigured, match="GetQueueUrl"):
        SqsQueue(aws("sqs")).hide([(replace(delivery("x"), queue_arn=arn("sqs", "nowhere.fifo")), 1.0)], forever)
