"""
The Lambda function behind the queue, and the forwarder's only composition root.

Importing it touches neither the environment nor the network; the first invocation does, once for each execution environment.
"""

import logging
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lambda_forwarder.dynamodb_watermarks import DynamodbWatermarks
from lambda_forwarder.errors import Misconfigured, translated
from lambda_forwarder.eventbridge import EventBridgePublisher
from lambda_forwarder.forward import Forwarder
from lambda_forwarder.s3_claims import S3Claims
from lambda_forwarder.settings import read_settings
from lambda_forwarder.sqs_parking import SqsParking

MARGIN = 12.0  # seconds before Lambda's end in which nothing is begun: one call with its retries at their slowest
CLIENTS = Config(
    connect_timeout=1,  # seconds
    read_timeout=4,  # seconds
    retries={"mode": "standard", "total_max_attempts": 2},  # of a whole call; entries are retried by the publisher
    parameter_validation=False,  # 0.4 ms a call; the adapters build every request themselves
)
S3 = CLIENTS.merge(Config(s3={"addressing_style": "path"}))  # a bucket is no host name at an endpoint of one's own

log = logging.getLogger(__name__)

Neighbour = EventBridgePublisher | SqsParking | DynamodbWatermarks | S3Claims


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """
    Forward the records of one SQS event; answer which of them the queue must deliver again.

    Raises:
        Misconfigured: all that is wrong, at once. The messages stay in the queue.
    """
    forwarder = _forwarder()
    margin = min(MARGIN, _seconds_left(context) / 2)  # a short timeout still leaves half of it for work
    failed = forwarder.forward(event["Records"], lambda: _seconds_left(context) - margin)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _seconds_left(context: Any) -> float:
    return float(context.get_remaining_time_in_millis()) / 1000


@cache
def _forwarder() -> Forwarder:
    settings = read_settings()
    table, bucket = settings.watermarks, settings.claim_bucket
    with translated("creating the AWS clients"):
        publisher = EventBridgePublisher(boto3.client("events", config=CLIENTS), settings.event_bus)
        parking = SqsParking(boto3.client("sqs", config=CLIENTS), settings.parking_queue_url)
        watermarks = DynamodbWatermarks(boto3.client("dynamodb", config=CLIENTS), table) if table else None
        claims = S3Claims(boto3.client("s3", config=S3), bucket) if bucket else None
    _check(publisher, parking, watermarks, claims)
    log.info("ready", extra={"action": "started", "event_bus": settings.event_bus, "watermarks": table, "claim_bucket": bucket})
    return Forwarder(
        mappers=settings.mappers,
        publisher=publisher,
        parking=parking,
        watermarks=watermarks,
        claims=claims,
        source=settings.source,
    )


def _check(*neighbours: Neighbour | None) -> None:
    """Ask each that is configured; what is wrong with any of them is one error."""
    problems = []
    for neighbour in neighbours:
        try:
            if neighbour is not None:
                neighbour.check()
        except Misconfigured as error:
            problems.append(str(error))
    if problems:
        raise Misconfigured("\n".join(problems))
