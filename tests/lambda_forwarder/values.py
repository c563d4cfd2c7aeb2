"""Changes, messages and records that are valid by default; a test names only what it is about."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from contract.change import Change, Namespace, UpdateDescription
from contract.message import ChangeMessage, encode_change, group_id, pack
from lambda_forwarder.event import DomainEvent, Entry, entry

PAYMENT = "65f2a1c09b1e8a5d4c3b2a19"


def forever() -> float:
    """Time left: plenty."""
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


def message(*changes: Change, lane: int = 17) -> ChangeMessage:
    return ChangeMessage(stream="payments", generation=1, lane=lane, changes=changes)


def body(*changes: Change, lane: int = 17) -> str:
    return pack(stream="payments", generation=1, lane=lane, changes=[encode_change(change) for change in changes])


def record(text: str, *, group: str | None = None, message_id: str | None = None) -> dict[str, Any]:
    """One record as Lambda's event source mapping of a FIFO queue hands it over (recorded shape)."""
    return {
        "messageId": message_id or str(uuid4()),
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": text,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795330680123",
            "SequenceNumber": "18893721453452310016",
            "MessageGroupId": group or group_id("payments", 17),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "MessageDeduplicationId": "6f1c0f6a2d",
            "ApproximateFirstReceiveTimestamp": "1795330680200",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:changes.fifo",
        "awsRegion": "eu-west-1",
    }


class Noted(DomainEvent, source="app.tests"):
    """Something was noted."""

    text: str = ""
    number: int = 0


def noted(document: str, sequence: int, *, text: str = "", number: int = 0) -> Entry:
    """An entry for the bus about one document."""
    change = inserted(document, sequence)
    return entry(Noted(text=text, number=number), change=change, message=message(change))


def noteds(*documents: str) -> Sequence[Entry]:
    """One entry after the other, in this order of documents."""
    return [noted(document, sequence) for sequence, document in enumerate(documents, 1)]
