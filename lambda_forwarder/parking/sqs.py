"""A queue, FIFO or standard, where parked changes wait for a person."""

import base64
import gzip
import hashlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from contract.message import MESSAGE_LIMIT
from lambda_forwarder import batch_answer, deadline
from lambda_forwarder.errors import Misconfigured, Rejected, translated, unusable
from lambda_forwarder.parking.parked import NOTHING, Parked
from lambda_forwarder.partial import note_done
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.publishing.packing import waves

CALL_COUNT = 10  # entries, SQS, one SendMessageBatch

_encode = msgspec.json.Encoder().encode
_illegal = re.compile("[\ud800-\udfff\ufffe\uffff]").search  # what JSON leaves bare and XML 1.0, so SQS, has not


class SqsParking:
    """Parks in the queue with this URL. ``client`` is a boto3 ``sqs`` client."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._fifo = queue_url.endswith(".fifo")

    def check(self) -> None:
        """
        Make sure that the queue exists, before it is needed.

        Raises:
            Misconfigured: it does not, or we may not ask.
        """
        try:
            with translated("GetQueueAttributes"):
                self._client.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])
        except (Misconfigured, Rejected) as error:
            needed = "a queue with this URL and the permission sqs:GetQueueAttributes"
            raise unusable("FORWARDER_PARKING_QUEUE_URL", self._queue_url, error, needed) from error

    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
        """See ``Parking``. No retries of its own: what fails here comes again with its message."""
        kept: set[str] = set()
        try:
            bodies = [(item, body(item)) for item in parked]
            for wave in waves(bodies, key=_document, size=_size, count=CALL_COUNT, limit=MESSAGE_LIMIT + 1):
                for call in wave:
                    deadline.check(time_left, f"{len(parked) - len(kept)} changes were parked")
                    self._send(call, kept)
        except Exception as error:
            note_done(error, kept)
            raise

    def _send(self, call: Sequence[tuple[Parked, bytes]], kept: set[str]) -> None:
        entries = [self._request(index, item, text) for index, (item, text) in enumerate(call)]
        with translated("SendMessageBatch to the parking queue"):
            answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        kept.update(call[int(one["Id"])][0].id for one in answer.get("Successful", ()))
        batch_answer.check("SendMessageBatch to the parking queue", entries, answer)

    def _request(self, index: int, item: Parked, text: bytes) -> dict[str, Any]:
        request: dict[str, Any] = {"Id": str(index), "MessageBody": text.decode()}
        if self._fifo:
            group = hashlib.blake2b(item.document.encode(), digest_size=16).hexdigest()
            request |= {"MessageGroupId": group, "MessageDeduplicationId": item.id}
        return request


def body(item: Parked) -> bytes:
    """
    The message for a parked item, within SQS's characters and limit. What had to be left out is said in ``omitted``.

    Raises:
        Rejected: what is not ours does not fit either way. It stays in its queue, whole, until that gives it up.
    """
    if item.body is not None and _illegal(item.body):
        return _compressed(item, item.body)
    text = _encode(item)
    if len(text) <= MESSAGE_LIMIT:
        return text
    if item.body is not None:
        return _compressed(item, item.body)
    return _encode(msgspec.structs.replace(item, message=NOTHING, omitted=f"the change: {len(text)} bytes do not fit"))


def _compressed(item: Parked, came: str) -> bytes:
    packed = base64.b64encode(gzip.compress(came.encode("utf-8", "surrogatepass"), mtime=0)).decode()
    text = _encode(msgspec.structs.replace(item, body=None, body_gzip=packed))
    if len(text) > MESSAGE_LIMIT:
        raise Rejected(f"{len(text)} bytes, even compressed, do not fit into the parking queue's {MESSAGE_LIMIT}")
    return text


def _document(item: tuple[Parked, bytes]) -> str:
    return item[0].document


def _size(item: tuple[Parked, bytes]) -> int:
    return len(item[1])
