"""Parks changes in an SQS queue, FIFO or standard, within the characters and the size that SQS accepts."""

import base64
import gzip
import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.aws.batches import check_batch, waves
from lambda_forwarder.aws.resources import check_queue, queue
from lambda_forwarder.errors import Misconfigured, Rejected, translated
from lambda_forwarder.model.parked import NOTHING, Parked
from lambda_forwarder.partial import note_done
from lambda_forwarder.ports import Claims, TimeLeft
from tailrace.wire import identity
from tailrace.wire.message import MESSAGE_LIMIT

CALL_COUNT = 10  # entries, SQS, one SendMessageBatch
OPERATION = "SendMessageBatch to the parking queue"
PREFIX = "parked"  # the first part of the keys in the claim bucket; no stream may have this name

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_illegal = re.compile("[\ud800-\udfff\ufffe\uffff]").search  # characters of JSON that SQS (XML 1.0) does not accept


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
                for wave in waves(
                    bodies,
                    key=lambda each: each[0].document,
                    size=lambda each: len(each[1]),
                    count=CALL_COUNT,
                    limit=MESSAGE_LIMIT + 1,
                ):
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
            check_batch(OPERATION, entries, response)
        except Rejected:
            self.check()  # its MaximumMessageSize may have been reduced since the start
            raise

    def _request(self, index: int, item: Parked, encoded: bytes) -> dict[str, Any]:
        request: dict[str, Any] = {"Id": str(index), "MessageBody": encoded.decode()}
        if self._fifo:
            group = identity.digest(item.document).hex()
            request |= {"MessageGroupId": group, "MessageDeduplicationId": item.id}
        return request


def body(item: Parked, claims: Claims | None = None) -> bytes:
    """
    Return the message body. If the parked message does not fit, it is stored in the claim bucket. Without a bucket it is left
    out, so that it never blocks a lane. ``omitted`` says so.
    """
    encoded = fitting(item)
    return _encode(_without_content(item, claims)) if encoded is None else encoded


def fitting(item: Parked) -> bytes | None:
    """The message body with the whole item, compressed if necessary; None if it does not fit."""
    return next((encoded for encoded in map(_encode, _forms(item)) if len(encoded) <= MESSAGE_LIMIT), None)


def _forms(item: Parked) -> Iterator[Parked]:
    """Yield the item as it is, and then with its unreadable body compressed."""
    if item.body is None or not _illegal(item.body):
        yield item
    if item.body is not None:
        packed = base64.b64encode(gzip.compress(_content(item), mtime=0)).decode()
        yield replace(item, body=None, body_gzip=packed)


def _without_content(item: Parked, claims: Claims | None) -> Parked:
    """The item without its message or body, and with a claim to it if it could be stored."""
    content = _content(item)
    stub, omitted = replace(item, message=NOTHING, body=None), f"{len(content)} bytes do not fit into the parking queue"
    if claims is None:
        return replace(stub, omitted=f"{omitted}, and FORWARDER_CLAIM_BUCKET is not set: only this record is kept")
    try:
        claim = claims.store(f"{PREFIX}/{item.id}", content)
    except (Misconfigured, Rejected) as error:
        log.warning(
            "a parked change was not stored in the claim bucket; only its key and reason are kept: %s",
            error,
            extra={"action": "parked_without_its_change", "id": item.id},
        )
        return replace(stub, omitted=f"{omitted}, and FORWARDER_CLAIM_BUCKET does not accept them: only this record is kept")
    return replace(stub, claim=claim, omitted=f"{omitted}: they are stored in s3://{claim.bucket}/{claim.key}")


def _content(item: Parked) -> bytes:
    return bytes(item.message) if item.body is None else item.body.encode("utf-8", "surrogatepass")
