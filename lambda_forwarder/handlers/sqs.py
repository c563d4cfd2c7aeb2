"""
The Lambda function of the tailer's queue.

Importing this module touches neither the environment nor the network. The first invocation builds the forwarder, once for each
execution environment.
"""

from collections.abc import Callable
from typing import Any

from lambda_forwarder import app
from lambda_forwarder.errors import ForwarderError
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.handlers.invocation import time_left
from lambda_forwarder.mapping.unmapped import unmapped_collections
from lambda_forwarder.metrics.emf import shown
from lambda_forwarder.model.delivery import Delivery


def handler(event: dict[str, Any], context: Any, build: Callable[[], Forwarder] = app.forwarder) -> dict[str, Any]:
    """
    Forward the messages of one SQS event. Return the ids of those that SQS must deliver again, and what the doctor asked for.
    If the settings are wrong, or the bus does not exist, all messages stay in the queue.
    """
    deliveries = [delivery(record) for record in event["Records"]]
    try:
        forwarder = build()
    except ForwarderError as error:
        app.return_all(deliveries, error)
        raise
    with shown(forwarder.metrics):
        failed = forwarder.forward(deliveries, time_left(context))
    return {
        "batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed],
        **unmapped_collections(event, forwarder.mappers),
    }


def delivery(record: dict[str, Any]) -> Delivery:
    """Convert one record of an SQS event. An event that a person recorded may lack everything but the body."""
    message_id, attributes = record.get("messageId", ""), record.get("attributes", {})
    first_received = attributes.get("ApproximateFirstReceiveTimestamp")
    return Delivery(
        id=message_id,
        group=attributes.get("MessageGroupId", message_id),
        body=record["body"],
        receipt=record.get("receiptHandle", ""),
        queue_arn=record.get("eventSourceARN", ""),
        deduplication_id=attributes.get("MessageDeduplicationId", ""),
        is_dead_letter="DeadLetterQueueSourceArn" in attributes,
        receives=int(attributes.get("ApproximateReceiveCount", 1)),
        first_received=int(first_received) / 1000 if first_received else None,
    )
