"""Parks changes in an SQS queue, FIFO or standard."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from lambda_forwarder import deadline
from lambda_forwarder.aws import batch_response
from lambda_forwarder.aws.packing import waves
from lambda_forwarder.aws.resources import check_queue, queue
from lambda_forwarder.errors import Rejected, translated
from lambda_forwarder.model.parked import Parked
from lambda_forwarder.parking.bodies import body, fitting
from lambda_forwarder.partial import note_done
from lambda_forwarder.ports import Claims, TimeLeft
from tailrace.wire.message import MESSAGE_LIMIT

CALL_COUNT = 10  # entries, SQS, one SendMessageBatch
OPERATION = "SendMessageBatch to the parking queue"


class SqsParking:
    """Parks in the queue with this URL. ``client`` is a boto3 ``sqs`` client. ``claims`` store what does not fit."""

    def __init__(self, client: Any, queue_url: str, claims: Claims | None = None) -> None:
        self._client = client
        self._claims = claims
        self._queue = queue("FORWARDER_PARKING_QUEUE_URL", queue_url, "the permission sqs:GetQueueAttributes")
        self._fifo = queue_url.endswith(".fifo")

    def check(self) -> None:
        check_queue(self._client, self._queue, receives_changes=True)

    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
        """See ``Parking``. A failed call is not retried here: its changes come again with their message."""
        kept: set[str] = set()
        try:
            for bodies in self._bodies(parked, time_left):
                for wave in waves(bodies, key=_document, size=_size, count=CALL_COUNT, limit=MESSAGE_LIMIT + 1):
                    for call in wave:
                        deadline.check(time_left, f"{len(parked) - len(kept)} changes were parked")
                        self._send(call, kept)
        except Exception as error:
            note_done(error, kept)
            raise

    def _bodies(self, parked: Sequence[Parked], time_left: TimeLeft) -> Iterator[Sequence[tuple[Parked, bytes]]]:
        """Yield the items to send together. An item that has to be stored is sent by itself, before the next one is stored."""
        ready: list[tuple[Parked, bytes]] = []
        for item in parked:
            if (encoded := fitting(item)) is not None:
                ready.append((item, encoded))
                continue
            yield ready
            ready = []
            deadline.check(time_left, "a change that does not fit into the parking queue was stored")
            yield [(item, body(item, self._claims))]
        yield ready

    def _send(self, call: Sequence[tuple[Parked, bytes]], kept: set[str]) -> None:
        entries = [self._request(index, item, encoded) for index, (item, encoded) in enumerate(call)]
        try:
            with translated(OPERATION):
                response = self._client.send_message_batch(QueueUrl=self._queue.name, Entries=entries)
            kept.update(call[int(sent["Id"])][0].id for sent in response.get("Successful", ()))
            batch_response.check(OPERATION, entries, response)
        except Rejected:
            self.check()  # its MaximumMessageSize may have been reduced since the start
            raise

    def _request(self, index: int, item: Parked, encoded: bytes) -> dict[str, Any]:
        request: dict[str, Any] = {"Id": str(index), "MessageBody": encoded.decode()}
        if self._fifo:
            group = hashlib.blake2b(item.document.encode(), digest_size=16).hexdigest()
            request |= {"MessageGroupId": group, "MessageDeduplicationId": item.id}
        return request


def _document(item: tuple[Parked, bytes]) -> str:
    return item[0].document


def _size(item: tuple[Parked, bytes]) -> int:
    return len(item[1])
