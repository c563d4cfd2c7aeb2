"""Converts a Lambda event, or a response of ReceiveMessage, that a person recorded."""

import time
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from lambda_forwarder.handlers import dynamodb, sqs
from lambda_forwarder.model.delivery import Delivery
from lambda_forwarder.redriving.sqs import deliveries
from tailrace.wire.message import UnreadableMessage


def recorded(value: Any) -> Iterable[Delivery] | None:
    """
    Return the deliveries in the value, or None if it has another form.

    Raises:
        UnreadableMessage: a record comes from another service.
    """
    match value:
        case {"Records": list(records)}:
            return chain.from_iterable(map(_of_record, records))
        case {"Messages": list(_)}:
            return deliveries(value)
        case _:
            return None


def _of_record(record: Any) -> Iterator[Delivery]:
    match record:
        case {"body": str(_)}:
            yield sqs.delivery(record)
        case {"dynamodb": _}:
            yield from dynamodb.deliveries([record], time.time())
        case _:
            raise UnreadableMessage("a record comes from neither SQS nor a DynamoDB stream")
