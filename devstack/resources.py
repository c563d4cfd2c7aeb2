"""
Creates the queues, the table, the bucket, the buses with their rules, and the forwarder through the AWS API.

It can run again: existing resources stay, and the code of the function is replaced.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.aws import REGION, Clients, arn, role
from devstack.function import FUNCTION, REDRIVE, deploy
from tailrace.aws.queues import LONGEST
from tailrace.wire.message import MESSAGE_LIMIT

QUEUE = "tailrace-changes.fifo"
DEAD_LETTERS = "tailrace-changes-dlq.fifo"
PARKING = "tailrace-parking.fifo"
TABLE = "tailrace-state"
CLAIM_BUCKET = "tailrace-claims"
BUS = "payments"
CONSUMER_BUS = "subscriptions"  # another team's
CONSUMER_QUEUE = "subscriptions-events"
SOURCE = "app.payments"

VISIBILITY_SECONDS = 10  # AWS advises six times the function's timeout; here a failed message returns during the demo
RECEIVES = 1_000  # of one message, before it goes to the dead-letter queue, as in production


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The names and URLs of the resources."""

    queue_url: str
    dead_letters_url: str
    parking_url: str
    consumer_queue_url: str
    table: str = TABLE
    claim_bucket: str = CLAIM_BUCKET
    bus: str = BUS
    source: str = SOURCE
    function: str | None = None
    redrive: str | None = None


def provision(aws: Clients, package: Path | None = None) -> Resources:
    """
    Make everything in the account that ``aws`` is a client of; without a package, everything but the forwarder.

    Raises:
        StartFailed: the forwarder does not start, with its own words.
    """
    dead_letters = _queue(aws, DEAD_LETTERS, _fifo())
    redrive = json.dumps({"deadLetterTargetArn": arn("sqs", DEAD_LETTERS), "maxReceiveCount": RECEIVES})
    resources = Resources(
        queue_url=_queue(aws, QUEUE, _fifo() | {"RedrivePolicy": redrive}),
        dead_letters_url=dead_letters,
        parking_url=_queue(aws, PARKING, _fifo()),
        consumer_queue_url=_queue(aws, CONSUMER_QUEUE, {"Policy": _from_rule(CONSUMER_BUS, CONSUMER_QUEUE)}),
        function=FUNCTION if package else None,
        redrive=REDRIVE if package else None,
    )
    _table(aws)
    _bucket(aws)
    _buses(aws)
    if package:
        settings = {
            "FORWARDER_EVENT_BUS": BUS,
            "FORWARDER_SOURCE": SOURCE,
            "FORWARDER_PARKING_QUEUE_URL": resources.parking_url,
            "FORWARDER_DEAD_LETTER_QUEUE_URL": resources.dead_letters_url,
            "FORWARDER_WATERMARKS": TABLE,
            "FORWARDER_STREAMS": "payments",
            "FORWARDER_CLAIM_BUCKET": CLAIM_BUCKET,
        }
        deploy(aws, package, arn("sqs", QUEUE), settings)
    return resources


def _fifo() -> dict[str, str]:
    """Return the attributes of a FIFO queue: high throughput, deduplication per message group, encrypted."""
    return {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "false",
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "MaximumMessageSize": str(MESSAGE_LIMIT),
        "MessageRetentionPeriod": str(LONGEST),
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": str(VISIBILITY_SECONDS),
    }


def _queue(aws: Clients, name: str, attributes: dict[str, str]) -> str:
    url: str = aws("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def _from_rule(bus: str, queue: str) -> str:
    """Return a queue policy that allows only the rules of one bus to send."""
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn("sqs", queue),
        "Condition": {"ArnEquals": {"aws:SourceArn": arn("events", f"rule/{bus}/{SOURCE}")}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


@contextmanager
def spare_queue(aws: Clients) -> Iterator[str]:
    """Yield another queue that receives the consumer's events. It is deleted at the end."""
    sqs, events, name = aws("sqs"), aws("events"), f"{CONSUMER_QUEUE}-{uuid.uuid4().hex[:8]}"
    url = _queue(aws, name, {"Policy": _from_rule(CONSUMER_BUS, name)})
    try:
        events.put_targets(Rule=SOURCE, EventBusName=CONSUMER_BUS, Targets=[{"Id": name, "Arn": arn("sqs", name)}])
        yield url
    finally:
        events.remove_targets(Rule=SOURCE, EventBusName=CONSUMER_BUS, Ids=[name])
        sqs.delete_queue(QueueUrl=url)


def _table(aws: Clients) -> None:
    dynamodb = aws("dynamodb")
    try:
        dynamodb.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    except dynamodb.exceptions.ResourceInUseException:
        return


def _bucket(aws: Clients) -> None:
    s3 = aws("s3")
    try:
        s3.create_bucket(Bucket=CLAIM_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return


def _buses(aws: Clients) -> None:
    """Route every event of the source to the bus of the consumer, and from there to its queue."""
    events = aws("events")
    for bus in (BUS, CONSUMER_BUS):
        try:
            events.create_event_bus(Name=bus)
        except events.exceptions.ResourceAlreadyExistsException:
            continue
    other_bus = {"Id": CONSUMER_BUS, "Arn": arn("events", f"event-bus/{CONSUMER_BUS}"), "RoleArn": role("tailrace-bus-to-bus")}
    _rule(events, BUS, other_bus)
    _rule(events, CONSUMER_BUS, {"Id": CONSUMER_QUEUE, "Arn": arn("sqs", CONSUMER_QUEUE)})


def _rule(events: Any, bus: str, target: dict[str, str]) -> None:
    events.put_rule(Name=SOURCE, EventBusName=bus, EventPattern=json.dumps({"source": [SOURCE]}), State="ENABLED")
    events.put_targets(Rule=SOURCE, EventBusName=bus, Targets=[target])
