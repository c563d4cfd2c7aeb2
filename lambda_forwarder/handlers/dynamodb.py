"""
The Lambda function of a DynamoDB stream: the same events, from the same mappers, as for the change of a document.

The event source mapping must have ``ReportBatchItemFailures``, and the stream must show new and old images.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lambda_forwarder import app
from lambda_forwarder.dynamodb.stream_forwarder import StreamForwarder
from lambda_forwarder.handlers.dynamodb_records import read
from lambda_forwarder.handlers.invocation import time_left
from lambda_forwarder.metrics.emf import shown
from lambda_forwarder.model.delivery import Delivery
from tailrace.wire.message import UnreadableMessage


def handler(event: dict[str, Any], context: Any, build: Callable[[], StreamForwarder] = app.stream_forwarder) -> dict[str, Any]:
    """
    Forward the records of one DynamoDB event. Return the first record from which on Lambda must deliver them again. After an
    error Lambda delivers all of them again.
    """
    stream, records = build(), event["Records"]
    with shown(stream.forwarder.metrics):
        failed = stream.forward(deliveries(records, time.time()), len(records), time_left(context))
    return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}


def deliveries(records: Iterable[dict[str, Any]], arrived: float) -> Iterator[Delivery]:
    """
    Convert the records one after the other, so that only those that are published together are in memory. ``arrived`` is in
    seconds since 1970.
    """
    for record in records:
        image = record.get("dynamodb")
        number = image.get("SequenceNumber") if isinstance(image, dict) else None  # may be missing in a foreign record
        name = str(record.get("eventID") or record.get("eventSourceARN") or "dynamodb")
        delivery_id = number if isinstance(number, str) else ""
        try:
            yield Delivery(id=delivery_id, group=name, message=read(record, arrived))
        except UnreadableMessage as error:
            yield Delivery(id=delivery_id, group=name, body=_text(record), problem=str(error))


def _text(record: dict[str, Any]) -> str:
    """Return the record as JSON; without its nested values if they are nested too deeply."""
    try:
        return json.dumps(record)
    except RecursionError:
        return json.dumps({field: value for field, value in record.items() if not isinstance(value, dict | list)})
