"""Changes, messages and records that are valid by default: a test names only the fields that it is about."""

import argparse
import base64
import gzip
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from uuid import uuid4

from msgspec.structs import replace

from lambda_forwarder import redrive_command
from lambda_forwarder.dynamodb.stream_forwarder import StreamForwarder
from lambda_forwarder.handlers import dynamodb, sqs
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.model.entry import Entry, entry
from lambda_forwarder.ports import TimeLeft
from lambda_forwarder.publishing.eventbridge import Response
from lambda_forwarder.redriving.redriver import Redriver
from tailrace.change import Change
from tailrace.events import DomainEvent
from tailrace.message import ChangeMessage, unpack
from tailrace.wire.change import GAP, Claim, Namespace, Poison, UpdateDescription
from tailrace.wire.message import UnreadableMessage, deduplication_id, encode_change, group_id, pack

PAYMENT = "65f2a1c09b1e8a5d4c3b2a19"
ARRIVED = 1_795_340_000.75  # seconds since 1970, of the records of DynamoDB
RAW = Claim(bucket="claims", key="payments/raw/1.bson", bytes=20, sha256="0" * 64)


def gzipped(changes: bytes) -> str:
    """Return a body with these bytes as its gzip."""
    packed = base64.b64encode(changes).decode()
    return f'{{"version":1,"stream":"payments","generation":1,"lane":17,"encoding":"gzip","changes":"{packed}"}}'


HOSTILE = {
    "empty": "",
    "no JSON": "hello",
    "no message": "{}",
    "newer": '{"version": 99}',
    "half a message": '{"version": 1, "stream": "x"}',
    "nested": "[" * 100_000,
    "no character": "\ud800",
    "cut short": '"\x00',
    "no ASCII": gzipped(b"").replace('""', '"é"'),
    "no base64": gzipped(b"").replace('""', '"!"'),
    "no gzip": gzipped(b"hello"),
    "no deflate": gzipped(gzip.compress(b"hello")[:10] + b"\xff" * 20),
    "half a gzip": gzipped(gzip.compress(b"[]")[:-4]),
    "no JSON in the gzip": gzipped(gzip.compress(b"hello")),
    "nested in the gzip": gzipped(gzip.compress(b"[" * 100_000)),
    "501 changes": gzipped(gzip.compress(b"[" + b",".join([b"{}"] * 501) + b"]")),
    "nested in the window of a decoder": gzipped(gzip.compress(b"[" + b'{"a":' * 960 + b"1" + b"}" * 960 + b"]")),
    "a million lists in the gzip": gzipped(gzip.compress(b"[" + b"[]," * 1_000_000 + b"[]]")),
}
"""Bodies that anybody who may send to the queue can send, and that are no message."""


class KeepingBus:
    """Accepts every entry, and keeps it."""

    call_count: ClassVar[int] = 10

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def put(self, entries: Sequence[Entry]) -> Sequence[Response]:
        self.entries += entries
        return [{} for _ in entries]


def forever() -> float:
    """Return plenty of time left."""
    return 60.0


def inserted(payment: str = PAYMENT, sequence: int = 1, **fields: Any) -> Change:
    document = {
        "_id": payment,
        "subscriptionId": "sub-0001",
        "accountNumber": "10000001",
        "status": "created",
        "created": "2026-11-22T06:58:00.123Z",
        "updated": "2026-11-22T06:58:00.123Z",
    } | fields
    return Change(
        id=f"8265F2A1C0{sequence:012X}",
        sequence=sequence,
        operation_type="insert",
        ns=Namespace(db="payments", coll="payments"),
        cluster_time="1795330680.1",
        wall_time="2026-11-22T06:58:00.123Z",
        document_key={"_id": payment},
        full_document=document,
    )


def cancelled(payment: str = PAYMENT, sequence: int = 2, *, looked_up: bool = True) -> Change:
    now = "2026-11-22T07:01:30.456Z"
    return Change(
        id=f"8265F2A1C0{sequence:012X}",
        sequence=sequence,
        operation_type="update",
        ns=Namespace(db="payments", coll="payments"),
        cluster_time="1795330890.3",
        wall_time=now,
        document_key={"_id": payment},
        full_document=inserted(payment, status="cancelled", updated=now).full_document if looked_up else None,
        update_description=UpdateDescription(updated_fields={"status": "cancelled", "updated": now}),
    )


def gap(sequence: int = 3) -> Change:
    """Return a gap in the tailer's form."""
    return Change(
        id=f"gap-payments-2-{sequence}",
        sequence=sequence,
        operation_type=GAP,
        ns=Namespace(db="payments", coll="payments"),
        cluster_time="1795334400.1",
        full_document={
            "stream": "payments",
            "from": "2026-11-22T07:01:30Z",
            "to": "2026-11-22T08:00:00Z",
            "acceptedBy": "ada",
            "acceptedAt": "2026-11-22T08:05:00.250000Z",
            "reason": "the log's retention was three hours",
        },
    )


def stub(name: str = "a", sequence: int = 1, *, reason: str = "binary of a wrong length", raw: Claim | None = RAW) -> Change:
    """Return the stub that the tailer sends for a change that it cannot read."""
    return replace(inserted(name, sequence), full_document=None, poison=Poison(reason=reason, raw=raw))


def claiming(whole: Change, *, bucket: str = "claims", key: str = "payments/1.json") -> tuple[Change, bytes]:
    """Return the change as it is sent, with a claim instead of its documents, and the claimed object."""
    content = encode_change(whole)
    claim = Claim(bucket=bucket, key=key, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    light = replace(whole, full_document=None, full_document_before_change=None, update_description=None, claim=claim)
    return light, content


def message(*changes: Change, lane: int = 17, generation: int = 1) -> ChangeMessage:
    return ChangeMessage(stream="payments", generation=generation, lane=lane, changes=changes)


def body(*changes: Change, lane: int = 17, generation: int = 1) -> str:
    encoded = [encode_change(change) for change in changes]
    return pack(stream="payments", generation=generation, lane=lane, changes=encoded)


def sent_id(text: str) -> str:
    """Return the deduplication id of the tailer for this body, or any other for a foreign body."""
    try:
        told = unpack(text)
    except UnreadableMessage:
        return "6f1c0f6a2d"
    ids = [change.id for change in told.changes]
    return deduplication_id(stream=told.stream, generation=told.generation, lane=told.lane, ids=ids)


def record(
    text: str, *, group: str | None = None, message_id: str | None = None, sent: str | None = None, receives: int = 1
) -> dict[str, Any]:
    """
    Return one record as Lambda's event source mapping of a FIFO queue passes it (recorded shape), under the tailer's
    deduplication id unless ``sent`` is given.
    """
    return {
        "messageId": message_id or str(uuid4()),
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": text,
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "SentTimestamp": "1795330680123",
            "SequenceNumber": "18893721453452310016",
            "MessageGroupId": group or group_id("payments", 17),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "MessageDeduplicationId": sent or sent_id(text),
            "ApproximateFirstReceiveTimestamp": "1795330680200",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:changes.fifo",
        "awsRegion": "eu-west-1",
    }


def redrive(arguments: Sequence[str], build: Callable[..., Redriver]) -> int:
    """Call the command ``redrive`` with a redriver of the test's own."""
    parser = argparse.ArgumentParser()
    parser.set_defaults(mappers=None)
    redrive_command.add_command(parser.add_subparsers())
    return redrive_command.command(parser.parse_args(["redrive", *arguments]), build)


def delivery(
    text: str, *, group: str | None = None, message_id: str | None = None, sent: str | None = None, receives: int = 1
) -> Delivery:
    """The message of such a record, as the handler converts it."""
    return sqs.delivery(record(text, group=group, message_id=message_id, sent=sent, receives=receives))


def streamed(stream: StreamForwarder, records: Sequence[dict[str, Any]], time_left: TimeLeft) -> str | None:
    """Forward the records of a DynamoDB stream, as the handler does."""
    return stream.forward(dynamodb.deliveries(records, ARRIVED), len(records), time_left)


class Noted(DomainEvent, source="app.tests"):
    """Something was noted."""

    text: str = ""
    number: int = 0


def noted(document: str, sequence: int, *, text: str = "", number: int = 0) -> Entry:
    """Return an entry for the bus about one document."""
    change = inserted(document, sequence)
    return entry(Noted(text=text, number=number), change=change, message=message(change))


def noted_entries(*documents: str) -> Sequence[Entry]:
    """Return one entry after another about these documents."""
    return [noted(document, sequence) for sequence, document in enumerate(documents, 1)]
