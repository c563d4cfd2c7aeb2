"""
Creates what the demo and the tests use in an AWS account: what tailer and forwarder need, the forwarder itself, its bus, and
the bus of another team with its consumer's queue.

It can run again: existing resources stay, and the code of the function is replaced.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tailrace.dev import resources as dev
from tailrace.dev.aws import Clients, arn, role
from tailrace.dev.function import FUNCTION, REDRIVE, deploy

BUS = "payments"
CONSUMER_BUS = "subscriptions"  # another team's
CONSUMER_QUEUE = "subscriptions-events"
SOURCE = "app.payments"
VISIBILITY_SECONDS = 10  # AWS advises six times the function's timeout; here a person waits for a failed message to return
PATTERN = {"source": [SOURCE]}


@dataclass(frozen=True, kw_only=True)
class Resources(dev.Resources):
    """The names and URLs of the resources."""

    consumer_queue_url: str
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
    made = dev.provision(aws, VISIBILITY_SECONDS)
    resources = Resources(
        **asdict(made),
        consumer_queue_url=dev.queue_of_a_rule(aws, CONSUMER_QUEUE, bus=CONSUMER_BUS, rule=SOURCE),
        function=FUNCTION if package else None,
        redrive=REDRIVE if package else None,
    )
    _buses(aws)
    if package:
        settings = made.forwarder_settings(BUS) | {
            "FORWARDER_MAPPERS": "events:MAPPERS",
            "FORWARDER_SOURCE": SOURCE,
            "FORWARDER_STREAMS": "payments",
        }
        deploy(aws, package, arn("sqs", dev.QUEUE), settings)
    return resources


@contextmanager
def spare_queue(aws: Clients) -> Iterator[str]:
    """Yield another queue that receives the consumer's events. It is deleted at the end."""
    sqs, events, name = aws("sqs"), aws("events"), f"{CONSUMER_QUEUE}-{uuid.uuid4().hex[:8]}"
    url = dev.queue_of_a_rule(aws, name, bus=CONSUMER_BUS, rule=SOURCE)
    try:
        events.put_targets(Rule=SOURCE, EventBusName=CONSUMER_BUS, Targets=[{"Id": name, "Arn": arn("sqs", name)}])
        yield url
    finally:
        events.remove_targets(Rule=SOURCE, EventBusName=CONSUMER_BUS, Ids=[name])
        sqs.delete_queue(QueueUrl=url)


def _buses(aws: Clients) -> None:
    """Route every event of the source to the bus of the consumer, and from there to its queue."""
    for bus in (BUS, CONSUMER_BUS):
        dev.event_bus(aws, bus)
    other_bus = {"Id": CONSUMER_BUS, "Arn": arn("events", f"event-bus/{CONSUMER_BUS}"), "RoleArn": role("tailrace-bus-to-bus")}
    dev.rule(aws, SOURCE, bus=BUS, pattern=PATTERN, target=other_bus)
    dev.rule(aws, SOURCE, bus=CONSUMER_BUS, pattern=PATTERN, target={"Id": CONSUMER_QUEUE, "Arn": arn("sqs", CONSUMER_QUEUE)})
