"""The queues of the forwarder and of redrive are checked before they are needed."""

import logging
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambda_forwarder.errors import Misconfigured
from lambda_forwarder.parking.sqs import SqsParking
from lambda_forwarder.redriving.sqs import SqsBacklog

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/kept.fifo"
GOOD = {"FifoQueue": "true", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "1209600"}
SMALL = "accepts messages of up to 262144 bytes only: set its MaximumMessageSize to 1048576"
FORGETS = "deletes a message after 4 days: set its MessageRetentionPeriod to 1209600"
PASSES_ON = "moves messages that are received often to another queue, .*: remove its RedrivePolicy"


class QueueClient:
    """An SQS client with one queue with these attributes."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self._attributes = attributes

    def get_queue_attributes(self, **_: object) -> dict[str, Any]:
        return {"Attributes": self._attributes}


def parking(attributes: dict[str, str]) -> SqsParking:
    return SqsParking(QueueClient(attributes), URL)


def parked_backlog(attributes: dict[str, str]) -> SqsBacklog:
    return SqsBacklog(QueueClient(attributes), URL, "FORWARDER_PARKING_QUEUE_URL")


def dead_letters(attributes: dict[str, str]) -> SqsBacklog:
    return SqsBacklog(QueueClient(attributes), URL, "FORWARDER_DEAD_LETTER_QUEUE_URL")


@pytest.mark.parametrize("queue", [parking, parked_backlog, dead_letters])
@pytest.mark.parametrize("attributes", [GOOD, {}, {"FifoQueue": "true"}], ids=["as deployed", "untold", "half told"])
def test_correct_queue_passes_without_a_warning(
    queue: Any, attributes: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Attributes that the service does not report are taken to be right."""
    queue(attributes).check()
    assert caplog.records == []


@pytest.mark.parametrize("size", ["262144", "1048575", "1024"])
def test_parking_queue_with_a_small_size_limit_is_refused(size: str) -> None:
    """A large change would block its lane. The message has the remedy."""
    with pytest.raises(
        Misconfigured, match=rf"^FORWARDER_PARKING_QUEUE_URL: {URL} accepts messages of up to {size} bytes only: set "
    ):
        parking(GOOD | {"MaximumMessageSize": size}).check()


def test_queue_with_a_small_size_limit_can_be_redriven() -> None:
    """Redrive only receives from it."""
    for queue in (parked_backlog, dead_letters):
        queue(GOOD | {"MaximumMessageSize": "262144"}).check()


@pytest.mark.parametrize("queue", [parking, parked_backlog, dead_letters])
@pytest.mark.parametrize(
    ("attributes", "words"),
    [({"MessageRetentionPeriod": "345600"}, FORGETS), ({"RedrivePolicy": '{"maxReceiveCount": 3}'}, PASSES_ON)],
)
def test_queue_that_would_lose_messages_is_warned_of(
    queue: Any, attributes: dict[str, str], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With the setting, the queue and the remedy."""
    caplog.set_level(logging.WARNING)
    queue(GOOD | attributes).check()
    [line] = caplog.records
    assert line.__dict__["action"] == "queue_loses"
    assert line.getMessage().startswith("FORWARDER_")
    assert URL in line.getMessage()
    assert re.search(words, line.getMessage())


@pytest.mark.parametrize("queue", [parking, parked_backlog, dead_letters])
@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "AccessDenied", "InvalidAddress"])
def test_missing_or_denied_queue_is_refused(queue: Any, code: str) -> None:
    """With the permission that it needs."""
    made = queue({})

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetQueueAttributes")

    made._client.get_queue_attributes = refuse
    with pytest.raises(Misconfigured, match=rf"^FORWARDER_[A-Z_]+: {URL} cannot be used: .*sqs:GetQueueAttributes"):
        made.check()
