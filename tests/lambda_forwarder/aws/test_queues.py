"""The queues that the forwarder and redrive depend on, looked at before they are needed: a table of queues and attributes."""

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


class Client:
    """An SQS with one queue, of these attributes."""

    def __init__(self, attributes: dict[str, str]) -> None:
        self._attributes = attributes

    def get_queue_attributes(self, **_: object) -> dict[str, Any]:
        return {"Attributes": self._attributes}


def parking(attributes: dict[str, str]) -> SqsParking:
    return SqsParking(Client(attributes), URL)


def parked_backlog(attributes: dict[str, str]) -> SqsBacklog:
    return SqsBacklog(Client(attributes), URL, "FORWARDER_PARKING_QUEUE_URL")


def dead_letters(attributes: dict[str, str]) -> SqsBacklog:
    return SqsBacklog(Client(attributes), URL, "FORWARDER_DEAD_LETTER_QUEUE_URL")


@pytest.mark.parametrize("queue", [parking, parked_backlog, dead_letters])
@pytest.mark.parametrize("attributes", [GOOD, {}, {"FifoQueue": "true"}], ids=["as deployed", "untold", "half told"])
def test_a_queue_as_it_should_be_passes_in_silence(
    queue: Any, attributes: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """What a service does not tell is taken to be so."""
    queue(attributes).check()
    assert caplog.records == []


@pytest.mark.parametrize("size", ["262144", "1048575", "1024"])
def test_a_parking_queue_that_is_too_small_is_refused_at_the_start(size: str) -> None:
    """It would block a lane at the first large change. The remedy is in the text."""
    with pytest.raises(
        Misconfigured, match=rf"^FORWARDER_PARKING_QUEUE_URL: {URL} accepts messages of up to {size} bytes only: set "
    ):
        parking(GOOD | {"MaximumMessageSize": size}).check()


def test_a_small_queue_can_still_be_emptied() -> None:
    """Redrive only takes from it."""
    for queue in (parked_backlog, dead_letters):
        queue(GOOD | {"MaximumMessageSize": "262144"}).check()


@pytest.mark.parametrize("queue", [parking, parked_backlog, dead_letters])
@pytest.mark.parametrize(
    ("attributes", "words"),
    [({"MessageRetentionPeriod": "345600"}, FORGETS), ({"RedrivePolicy": '{"maxReceiveCount": 3}'}, PASSES_ON)],
)
def test_a_queue_that_loses_what_it_keeps_is_a_warning(
    queue: Any, attributes: dict[str, str], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With the setting, the queue and the remedy; it does not stop the forwarder."""
    caplog.set_level(logging.WARNING)
    queue(GOOD | attributes).check()
    [line] = caplog.records
    assert line.__dict__["action"] == "queue_loses"
    assert line.getMessage().startswith("FORWARDER_")
    assert URL in line.getMessage()
    assert re.search(words, line.getMessage())


@pytest.mark.parametrize("queue", [parking, parked_backlog, dead_letters])
@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.NonExistentQueue", "AccessDenied", "InvalidAddress"])
def test_a_queue_that_is_not_there_or_not_ours_is_refused(queue: Any, code: str) -> None:
    """With the right that it takes."""
    made = queue({})

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetQueueAttributes")

    made._client.get_queue_attributes = refuse
    with pytest.raises(Misconfigured, match=rf"^FORWARDER_[A-Z_]+: {URL} cannot be used: .*sqs:GetQueueAttributes"):
        made.check()
