"""
What the three domains and the order store need in AWS, made through its API; in production one stack for each domain.

Each domain owns a bus. What another domain may hear goes from bus to bus by a rule of the one who tells; what a domain wants of
its own bus goes by a rule to its queue. Every target has a queue for what could not be delivered, every bus an archive.
"""

import json
from dataclasses import dataclass
from typing import Any

from tailrace.aws.queues import LONGEST
from tailrace.dev.aws import Clients, arn, role

DOMAINS = ("subscriptions", "stock", "payments", "orders")
SUBSCRIPTIONS, STOCK, ORDERS, NOTES = "razors-subscriptions", "razors-stock", "razors-orders", "razors-subscriptions-handled"
WATERMARKS = "razors-watermarks"
TABLES = {SUBSCRIPTIONS: "subscriptionId", ORDERS: "orderId", STOCK: "id", NOTES: "id", WATERMARKS: "pk"}
STREAMED = (SUBSCRIPTIONS, ORDERS)

HEARD = {  # who tells whom: the bus, the event, the other buses
    ("subscriptions", "SubscriptionCreated"): ("stock", "payments"),
    ("payments", "PaymentCancelled"): ("stock", "subscriptions"),
}
WANTED = {  # what a domain's own queue gets from its own bus
    "stock": ("SubscriptionCreated", "PaymentCancelled"),
    "payments": ("SubscriptionCreated",),
    "subscriptions": ("PaymentCancelled",),
    "orders": (),
}
VISIBILITY_SECONDS = "5"
RECEIVES = 20  # before a message is a dead letter
REDRIVE = "razors-redrive"
EVERY = "rate(1 minute)"


@dataclass(frozen=True, kw_only=True)
class Account:
    """Names of the resources. ``inboxes`` and ``witnesses`` are queues by domain. A witness receives all events of a bus."""

    inboxes: dict[str, str]
    witnesses: dict[str, str]
    parking: dict[str, str]
    streams: dict[str, str]


def provision(aws: Clients) -> Account:
    """Create buses, rules, queues, archives and tables."""
    schedule(aws)
    inboxes, witnesses, parking = {}, {}, {}
    for domain in DOMAINS:
        aws("events").create_event_bus(Name=bus(domain))
        aws("events").create_archive(ArchiveName=bus(domain), EventSourceArn=bus_arn(domain), RetentionDays=30)
        undelivered(aws, domain)
        inboxes[domain] = inbox(aws, domain)
        witnesses[domain] = queue(aws, f"razors-{domain}-witness")
        rule(aws, domain, "witness", {"source": [{"prefix": ""}]}, {"witness": arn("sqs", f"razors-{domain}-witness")})
        parking[domain] = queue(aws, f"razors-{domain}-parking.fifo", FifoQueue="true", MessageRetentionPeriod=str(LONGEST))
        queue(aws, f"razors-{domain}-failed")
    for (domain, name), others in HEARD.items():
        rule(aws, domain, f"{name}-to-others", {"detail-type": [name]}, {other: bus_arn(other) for other in others})
    for domain, names in WANTED.items():
        if names:
            rule(aws, domain, "inbox", {"detail-type": list(names)}, {"inbox": arn("sqs", f"razors-{domain}")})
    streams = {table: made for table, key in TABLES.items() if (made := create_table(aws, table, key))}
    return Account(inboxes=inboxes, witnesses=witnesses, parking=parking, streams=streams)


def bus(domain: str) -> str:
    return f"razors-{domain}"


def bus_arn(domain: str) -> str:
    return arn("events", f"event-bus/{bus(domain)}")


def queue(aws: Clients, name: str, **attributes: str) -> str:
    return str(aws("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def undelivered(aws: Clients, domain: str) -> None:
    """Return the dead-letter queue of the rules of this bus."""
    queue(aws, f"razors-{domain}-undelivered")


def inbox(aws: Clients, domain: str) -> str:
    """Create the queue of a domain, with its dead-letter queue."""
    queue(aws, f"razors-{domain}-dead")
    redrive = json.dumps({"deadLetterTargetArn": arn("sqs", f"razors-{domain}-dead"), "maxReceiveCount": RECEIVES})
    return queue(aws, f"razors-{domain}", VisibilityTimeout=VISIBILITY_SECONDS, RedrivePolicy=redrive)


def rule(aws: Clients, domain: str, name: str, pattern: dict[str, Any], targets: dict[str, str]) -> None:
    """Create a rule of a domain's bus and its target. A target on another bus needs a role."""
    events, dead = aws("events"), {"Arn": arn("sqs", f"razors-{domain}-undelivered")}
    events.put_rule(Name=name, EventBusName=bus(domain), EventPattern=json.dumps(pattern), State="ENABLED")
    entries: list[dict[str, Any]] = [
        {"Id": key, "Arn": target, "DeadLetterConfig": dead}
        | ({"RoleArn": role("razors-bus-to-bus")} if ":event-bus/" in target else {})
        for key, target in targets.items()
    ]
    events.put_targets(Rule=name, EventBusName=bus(domain), Targets=entries)


def create_table(aws: Clients, table: str, key: str) -> str:
    """Create a table and, if its changes become events, its stream with both images. Return the ARN of the stream."""
    stream = (
        {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}} if table in STREAMED else {}
    )
    made = aws("dynamodb").create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        **stream,
    )
    return str(made["TableDescription"].get("LatestStreamArn", ""))


def schedule(aws: Clients) -> None:
    """Schedule the redrive for every minute."""
    events = aws("events")
    events.put_rule(Name=REDRIVE, ScheduleExpression=EVERY, State="ENABLED")
    events.put_targets(Rule=REDRIVE, Targets=[{"Id": REDRIVE, "Arn": arn("lambda", f"function:{REDRIVE}")}])
