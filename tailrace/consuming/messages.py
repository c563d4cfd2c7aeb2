"""The messages in a payload, whichever service delivered it."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tailrace.consuming.errors import NotAnEvent

Body = str | bytes | Mapping[str, Any]
"""JSON text, or what was decoded from it."""

FORMS = (
    "an event of EventBridge, its detail, the payload of a Lambda function behind an SQS queue or a response of ReceiveMessage"
)


class Message(Struct, frozen=True, kw_only=True):
    """
    One event, not read yet. ``id``, ``receipt`` and ``group`` are the message id, the receipt handle and the message group of
    SQS; they are empty if there is no queue, ``group`` also in a standard queue.
    """

    body: Body
    id: str = ""
    receipt: str = ""
    group: str = ""


def messages(payload: Mapping[str, Any]) -> list[Message]:
    """
    Return the messages of a payload, in order: what a Lambda function receives, or a response of ReceiveMessage.

    Raises:
        NotAnEvent: the payload has none of the forms above. Whether a body is an event is not known yet.
    """
    match payload:
        case {"Records": list(records)}:
            return [_record(record) for record in records]
        case {"Messages": list(received)}:
            return [_received(message) for message in received]
        case {"ResponseMetadata": _}:  # ReceiveMessage returns no list if the queue has no messages
            return []
        case {"detail": _} | {"metadata": _}:
            return [Message(body=payload)]
        case _:
            raise NotAnEvent(f"the payload is none of these: {FORMS}")


def _record(record: Any) -> Message:
    match record:
        case {"messageId": str(identifier), "body": str(body)}:
            return Message(body=body, id=identifier, receipt=_text(record, "receiptHandle"), group=_group(record, "attributes"))
        case _:
            raise NotAnEvent("a record of the payload is not a message of SQS")


def _received(message: Any) -> Message:
    match message:
        case {"Body": str(body)}:
            identifier, receipt = _text(message, "MessageId"), _text(message, "ReceiptHandle")
            return Message(body=body, id=identifier, receipt=receipt, group=_group(message, "Attributes"))
        case _:
            raise NotAnEvent("a message of the response has no Body")


def _group(message: Mapping[str, Any], attributes: str) -> str:
    return _text(message.get(attributes) or {}, "MessageGroupId")


def _text(values: Any, name: str) -> str:
    value = values.get(name, "") if isinstance(values, Mapping) else ""
    return value if isinstance(value, str) else ""
