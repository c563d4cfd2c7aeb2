"""The SQS backlog: its responses and its requests."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambda_forwarder.errors import ForwarderError, Misconfigured, Unavailable
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.redriving.sqs import SqsBacklog
from tests.lambda_forwarder.values import forever

FAILED = {"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}


class RecordingClient:
    """Records its requests and returns the same response to every call: success, unless another is given."""

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


def backlog(client: RecordingClient) -> SqsBacklog:
    return SqsBacklog(client, "https://sqs.eu-west-1.amazonaws.com/123456789012/parking.fifo", "FORWARDER_PARKING_QUEUE_URL")


def waiting(number: int) -> Delivery:
    return Delivery(id=str(number), group="g", body="", receipt=f"receipt-{number}")


def test_failed_entry_of_a_batch_is_an_error() -> None:
    """SQS returns 200 with failed entries."""
    with pytest.raises(
        Unavailable, match=r"DeleteMessageBatch failed: the resource is temporarily unavailable \(InternalError"
    ):
        backlog(RecordingClient(FAILED)).remove([waiting(1)], forever)
    with pytest.raises(
        Unavailable, match=r"ChangeMessageVisibilityBatch failed: the resource is temporarily unavailable \(InternalError"
    ):
        backlog(RecordingClient(FAILED)).give_back([waiting(1)], forever)


def test_entry_missing_from_the_response_is_an_error() -> None:
    for response in ({}, {"Successful": [{"Id": "1"}]}):
        with pytest.raises(Unavailable, match="DeleteMessageBatch: the response does not mention"):
            backlog(RecordingClient(response)).remove([waiting(1), waiting(2)], forever)


def test_calls_have_at_most_ten_entries() -> None:
    """Each names its messages by their receipts."""
    client = RecordingClient()
    backlog(client).remove([waiting(number) for number in range(23)], forever)
    assert [len(request["Entries"]) for request in client.asked] == [10, 10, 3]
    assert client.asked[2]["Entries"][0] == {"Id": "0", "ReceiptHandle": "receipt-20"}


def test_visibility_timeout_is_at_most_twelve_hours() -> None:
    client = RecordingClient()
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
def test_sqs_error_maps_to_its_reaction(code: str, reaction: type[ForwarderError]) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "said so"}}, "ReceiveMessage")
    with pytest.raises(reaction, match=code):
        backlog(RecordingClient(error)).take(10, 30)
