"""
Creates the queues, the table, the bucket, the buses with their rules and the queues of consumers through the AWS API.

It can run again: existing resources stay.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tailrace.aws.queues import LONGEST
from tailrace.dev.aws import REGION, Clients, arn
from tailrace.dev.function import TIMEOUT_SECONDS
from tailrace.wire.message import MESSAGE_LIMIT

QUEUE = "tailrace-changes.fifo"
DEAD_LETTERS = "tailrace-changes-dlq.fifo"
PARKING = "tailrace-parking.fifo"
TABLE = "tailrace-state"
CLAIM_BUCKET = "tailrace-claims"

VISIBILITY_SECONDS = 6 * TIMEOUT_SECONDS  # as AWS advises, and as in production
RECEIVES = 1_000  # of one message, before it goes to the dead-letter queue, as in production


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The names and URLs of what the tailer and the forwarder use besides the bus."""

    queue_url: str
    dead_letters_url: str
    parking_url: str
    table: str = TABLE
    claim_bucket: str = CLAIM_BUCKET

    def forwarder_settings(self, bus: str) -> dict[str, str]:
        """Return the settings of a forwarder that publishes to this bus, as environment variables."""
        return {
            "FORWARDER_EVENT_BUS": bus,
            "FORWARDER_PARKING_QUEUE_URL": self.parking_url,
            "FORWARDER_DEAD_LETTER_QUEUE_URL": self.dead_letters_url,
            "FORWARDER_WATERMARKS": self.table,
            "FORWARDER_LAST_STATES": self.table,  # a key of it has a prefix of its own
            "FORWARDER_CLAIM_BUCKET": self.claim_bucket,
        }


def provision(aws: Clients, visibility: int = VISIBILITY_SECONDS) -> Resources:
    """Create the queues, the table and the bucket. A failed message returns after ``visibility`` seconds."""
    dead_letters = queue(aws, DEAD_LETTERS, _fifo(visibility))
    redrive = json.dumps({"deadLetterTargetArn": arn("sqs", DEAD_LETTERS), "maxReceiveCount": RECEIVES})
    resources = Resources(
        queue_url=queue(aws, QUEUE, _fifo(visibility) | {"RedrivePolicy": redrive}),
        dead_letters_url=dead_letters,
        parking_url=queue(aws, PARKING, _fifo(visibility)),
    )
    _table(aws)
    _bucket(aws)
    return resources


def queue(aws: Clients, name: str, attributes: dict[str, str]) -> str:
    """Create a queue and return its URL."""
    url: str = aws("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def queue_of_a_rule(aws: Clients, name: str, *, bus: str, rule: str) -> str:
    """Create a queue to which only this rule of a bus may send, and return its URL."""
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn("sqs", name),
        "Condition": {"ArnEquals": {"aws:SourceArn": arn("events", f"rule/{bus}/{rule}")}},
    }
    return queue(aws, name, {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allowed]})})


def event_bus(aws: Clients, name: str) -> None:
    """Create a bus."""
    events = aws("events")
    try:
        events.create_event_bus(Name=name)
    except events.exceptions.ResourceAlreadyExistsException:
        return


def rule(aws: Clients, name: str, *, bus: str, pattern: Mapping[str, Any], target: dict[str, str]) -> None:
    """Create a rule of a bus that sends the events of a pattern to one target."""
    events = aws("events")
    events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern), State="ENABLED")
    events.put_targets(Rule=name, EventBusName=bus, Targets=[target])


def _fifo(visibility: int) -> dict[str, str]:
    """Return the attributes of a FIFO queue: high throughput, deduplication per message group, encrypted."""
    return {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "false",
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "MaximumMessageSize": str(MESSAGE_LIMIT),
        "MessageRetentionPeriod": str(LONGEST),
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": str(visibility),
    }


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
