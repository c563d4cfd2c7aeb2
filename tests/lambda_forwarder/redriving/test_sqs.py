"""A backlog's queue: its answers, and what is asked of it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambda_forwarder.errors import ForwarderError, Misconfigured, Unavailable
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.redriving.sqs import SqsBacklog
from tests.lambda_forwarder.values import forever

FAILED = {"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}


class Client:
    """Remembers what it was asked, and answers every call alike: that all went well, unless told otherwise."""

    def __init__(self, response: Any = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._response = response

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.asked.append(request)
            if isinstance(self._response, Exception):
                raise self._response
            if self._response is None:
                return {"Successful": [{"Id": entry["Id"]} for entry in request.get("Entries", ())]}
            return self._response

        return call


def backlog(client: Client) -> SqsBacklog:
    return SqsBacklog(client, "https://sqs.eu-west-1.amazonaws.com/123456789012/parking.fifo", "FORWARDER_PARKING_QUEUE_URL")


def waiting(number: int) -> Delivery:
    return Delivery(id=str(number), group="g", body="", receipt=f"receipt-{number}")


def test_an_entry_that_was_not_removed_is_an_error() -> None:
    """SQS answers 200 with failures inside: they are read."""
    with pytest.raises(
        Unavailable, match=r"DeleteMessageBatch failed: the resource is temporarily unavailable \(InternalError"
    ):
        backlog(Client(FAILED)).remove([waiting(1)], forever)
    with pytest.raises(
        Unavailable, match=r"ChangeMessageVisibilityBatch failed: the resource is temporarily unavailable \(InternalError"
    ):
        backlog(Client(FAILED)).give_back([waiting(1)], forever)


def test_silence_about_an_entry_is_an_error() -> None:
    """Only what the queue says that it forgot is forgotten."""
    for response in ({}, {"Successful": [{"Id": "1"}]}):
        with pytest.raises(Unavailable, match="DeleteMessageBatch: the response is missing"):
            backlog(Client(response)).remove([waiting(1), waiting(2)], forever)


def test_calls_hold_ten() -> None:
    """As many calls as it takes, each naming its messages by their receipts."""
    client = Client()
    backlog(client).remove([waiting(number) for number in range(23)], forever)
    assert [len(request["Entries"]) for request in client.asked] == [10, 10, 3]
    assert client.asked[2]["Entries"][0] == {"Id": "0", "ReceiptHandle": "receipt-20"}


def test_a_message_is_held_no_longer_than_sqs_allows() -> None:
    """Twelve hours."""
    client = Client()
    assert backlog(client).take(3, 1_000_000.0) == []
    [request] = client.asked
    assert (request["VisibilityTimeout"], request["MaxNumberOfMessages"]) == (43_200, 3)


@pytest.mark.parametrize(
    ("code", "reaction"),
    [
        ("AccessDenied", Misconfigured),
        ("AWS.SimpleQueueService.NonExistentQueue", Misconfigured),
        ("RequestThrottled", Unavailable),
    ],
)
def test_an_response_has_its_reaction(code: str, reaction: type[ForwarderError]) -> None:
    """A person's to mend, or not now."""
    error = ClientError({"Error": {"Code": code, "Message": "said so"}}, "ReceiveMessage")
    with pytest.raises(reaction, match=code):
        backlog(Client(error)).take(10, 30)
