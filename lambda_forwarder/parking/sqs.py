"""A queue, FIFO or standard, where parked changes wait for a person."""

import base64
import gzip
import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from lambda_forwarder import deadline
from lambda_forwarder.aws import batch_response
from lambda_forwarder.aws.packing import waves
from lambda_forwarder.aws.resources import check_queue, queue
from lambda_forwarder.errors import Misconfigured, Rejected, translated
from lambda_forwarder.model.parked import NOTHING, Parked
from lambda_forwarder.partial import note_done
from lambda_forwarder.ports import Claims, TimeLeft
from tailrace.wire.message import MESSAGE_LIMIT

SETTING = "FORWARDER_PARKING_QUEUE_URL"
PREFIX = "parked"  # the first part of the keys in the claim bucket; no stream may be called so
CALL_COUNT = 10  # entries, SQS, one SendMessageBatch

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_illegal = re.compile("[\ud800-\udfff\ufffe\uffff]").search  # what JSON leaves bare and XML 1.0, so SQS, has not


class SqsParking:
    """
    Parks in the queue with this URL. ``client`` is a boto3 ``sqs`` client. What does not fit goes to ``claims``, where there
    are any.
    """

    def __init__(self, client: Any, queue_url: str, claims: Claims | None = None) -> None:
        self._client = client
        self._claims = claims
        self._queue_url = queue_url
        self._fifo = queue_url.endswith(".fifo")

    def check(self) -> None:
        """See ``check_queue``."""
        resource = queue(SETTING, self._queue_url, "the permission sqs:GetQueueAttributes")
        check_queue(self._client, resource, receives_changes=True)

    def park(self, parked: Sequence[Parked], time_left: TimeLeft) -> None:
        """See ``Parking``. No retries of its own: what fails here comes again with its message."""
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
        """What to send before more is made ready. What has to be stored goes by itself: no time is lost over the next."""
        ready: list[tuple[Parked, bytes]] = []
        for item in parked:
            if (text := _fitting(item)) is not None:
                ready.append((item, text))
                continue
            yield ready
            ready = []
            deadline.check(time_left, "what does not fit into the parking queue was stored")
            yield [(item, body(item, self._claims))]
        yield ready

    def _send(self, call: Sequence[tuple[Parked, bytes]], kept: set[str]) -> None:
        entries = [self._request(index, item, text) for index, (item, text) in enumerate(call)]
        try:
            with translated("SendMessageBatch to the parking queue"):
                response = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            kept.update(call[int(one["Id"])][0].id for one in response.get("Successful", ()))
            batch_response.check("SendMessageBatch to the parking queue", entries, response)
        except Rejected:
            self.check()  # it may have been made smaller since the function started
            raise

    def _request(self, index: int, item: Parked, text: bytes) -> dict[str, Any]:
        request: dict[str, Any] = {"Id": str(index), "MessageBody": text.decode()}
        if self._fifo:
            group = hashlib.blake2b(item.document.encode(), digest_size=16).hexdigest()
            request |= {"MessageGroupId": group, "MessageDeduplicationId": item.id}
        return request


def body(item: Parked, claims: Claims | None = None) -> bytes:
    """
    The message for a parked item, within SQS's characters and limit. What does not fit lies in the claim bucket or, where there
    is none, is left out: ``omitted`` says so. It never holds back a lane.

    Raises:
        Unavailable: it cannot be stored now.
    """
    text = _fitting(item)
    return _encode(_stub(item, claims)) if text is None else text


def _fitting(item: Parked) -> bytes | None:
    """The first of its forms that fits into a message."""
    return next((text for text in map(_encode, _forms(item)) if len(text) <= MESSAGE_LIMIT), None)


def _forms(item: Parked) -> Iterator[Parked]:
    """The item whole, and what is not ours compressed."""
    if item.body is None or not _illegal(item.body):
        yield item
    if item.body is not None:
        packed = base64.b64encode(gzip.compress(_came(item), mtime=0)).decode()
        yield replace(item, body=None, body_gzip=packed)


def _stub(item: Parked, claims: Claims | None) -> Parked:
    """The item without what it was; with a claim to it, if that could be stored."""
    came = _came(item)
    stub, omitted = replace(item, message=NOTHING, body=None), f"{len(came)} bytes do not fit into the parking queue"
    if claims is None:
        return replace(stub, omitted=f"{omitted}, and FORWARDER_CLAIM_BUCKET is not set: only this record is kept")
    try:
        claim = claims.store(f"{PREFIX}/{item.id}", came)
    except (Misconfigured, Rejected) as error:
        log.warning(
            "a parked change was not stored in the claim bucket; only its key and reason are kept: %s",
            error,
            extra={"action": "parked_without_its_change", "id": item.id},
        )
        return replace(stub, omitted=f"{omitted}, and FORWARDER_CLAIM_BUCKET does not accept them: only this record is kept")
    return replace(stub, claim=claim, omitted=f"{omitted}: they are stored in s3://{claim.bucket}/{claim.key}")


def _came(item: Parked) -> bytes:
    """What it was: a message of changes, ours or not."""
    return bytes(item.message) if item.body is None else item.body.encode("utf-8", "surrogatepass")


def _document(item: tuple[Parked, bytes]) -> str:
    return item[0].document


def _size(item: tuple[Parked, bytes]) -> int:
    return len(item[1])
