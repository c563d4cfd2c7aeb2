"""
The Lambda function behind the queue.

Importing it touches neither the environment nor the network; the first invocation does, once for each execution environment.
"""

from typing import Any

from lambda_forwarder.app import forwarder, return_all, time_left
from lambda_forwarder.errors import ForwarderError
from lambda_forwarder.mapping.unmapped import asked
from lambda_forwarder.metrics.emf import shown


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """
    Forward the records of one SQS event; answer which of them the queue must deliver again, and what the doctor asks.

    Raises:
        Misconfigured: all that is wrong, at once, or a bus that is gone. The messages stay in the queue.
    """
    try:
        through = forwarder()
    except ForwarderError as error:
        return_all(event["Records"], error)
        raise
    with shown(through.metrics):
        failed = through.forward(event["Records"], time_left(context))
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed], **asked(event, through.mappers)}
