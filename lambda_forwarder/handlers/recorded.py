"""
Converts a Lambda event, or a response of ReceiveMessage, that a person recorded. Of a queue message only the body is read:
whatever else the person left out or changed does not matter.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from lambda_forwarder.handlers import dynamodb, sqs
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.redriving.sqs import deliveries
from tailrace.wire.message import UnreadableMessage


def recorded(value: Any) -> Iterable[Delivery] | None:
    """Return the deliveries in the value, or None if it has another form."""
    match value:
        case {"Records": list(records)}:
            return _of_event(records)
        case {"Messages": list(messages)}:
            return deliveries({"Messages": [{"Body": _body(message)} for message in messages]})
    return None


def _of_event(records: Iterable[Any]) -> Iterator[Delivery]:
    for record in records:
        match record:
            case {"body": str(body)}:
                yield sqs.delivery({"body": body})
            case {"dynamodb": _}:
                yield from dynamodb.deliveries([record], time.time())
            case _:
                raise UnreadableMessage("a record comes from neither SQS nor a DynamoDB stream")


def _body(message: Any) -> str:
    match message:
        case {"Body": str(body)}:
            return body
    raise UnreadableMessage("a message of the response has no Body")
