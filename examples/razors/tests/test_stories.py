"""The two stories, in the order of this file. ``pytest -s`` shows each hop."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from conftest import Gate, Razors

from razors.events import PaymentCancelled, SubscriptionCancelled, SubscriptionCreated
from tailrace.mappers.data_changes import DataChanged

LATE = ("o-1", "o-2", "o-3")


def test_orders_are_published_with_a_patch_and_wait_while_the_bus_does_not_respond(razors: Razors) -> None:
    """The order store writes its table and nothing else, so its callers notice nothing."""
    store(razors, "o-0", 12)
    assert razors.hear("orders", DataChanged, operation="created").data.item == {"orderId": "o-0", "total": 12}
    store(razors, "o-0", 15)
    patch = [{"op": "replace", "path": "/total", "value": 15}]
    assert razors.hear("orders", DataChanged, operation="updated").data.patch == patch
    Gate.closed = True
    for total, order in enumerate(LATE):
        store(razors, order, total)
    razors.hop("orders        the forwarder is refused, and tries again", lambda: Gate.refused > 1)
    razors.hop("orders        3 changes wait in the parking queue", lambda: parked(razors) == len(LATE))


def test_subscription_is_paid_and_cancelled_and_a_repeat_changes_nothing(razors: Razors) -> None:
    """Three domains act on each other's events, across two databases and three buses."""
    hear = partial(razors.hear, subscription_id="s-1")
    razors.subscriptions.create("s-1", "razor", 1, "Ada")
    created = hear("subscriptions", SubscriptionCreated)
    hear("stock", SubscriptionCreated)
    hear("payments", SubscriptionCreated)
    razors.hop("stock         12 units allocated", lambda: razors.stock.allocated("razor") == 12)
    razors.hop("payments      one payment created", lambda: razors.payments.statuses("s-1") == ["created"])
    razors.payments.cancel("s-1")
    cancelled = hear("payments", PaymentCancelled)
    hear("stock", PaymentCancelled)
    hear("subscriptions", PaymentCancelled)
    razors.hop("stock         0 units allocated", lambda: razors.stock.allocated("razor") == 0)
    razors.hop("subscriptions cancelled", lambda: razors.subscriptions.status("s-1") == "cancelled")
    hear("subscriptions", SubscriptionCancelled)

    read_again(razors)
    assert hear("subscriptions", SubscriptionCreated).id == created.id
    assert hear("payments", PaymentCancelled).id == cancelled.id
    nothing_changes(razors, repeats=1)
    replay(razors)
    nothing_changes(razors, repeats=2)


def test_redrive_publishes_what_waited(razors: Razors, request: pytest.FixtureRequest) -> None:
    """The bus responds again, and the events say that they are late."""
    Gate.closed = False
    if not request.config.getoption("--wait"):
        report = json.loads(razors.aws("lambda").invoke(FunctionName="razors-orders-redrive")["Payload"].read())
        assert report["left"] == 0, report
    for order in LATE:
        assert razors.hear("orders", DataChanged, key={"_id": order}).metadata.late
    razors.hop("orders        the parking queue is empty", lambda: parked(razors) == 0)


def store(razors: Razors, order: str, total: int) -> None:
    razors.aws("dynamodb").put_item(TableName="razors-orders", Item={"orderId": {"S": order}, "total": {"N": str(total)}})


def parked(razors: Razors) -> int:
    """Return how many changes wait in the order store's parking queue, received or not."""
    sqs, names = razors.aws("sqs"), ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = sqs.get_queue_url(QueueName="razors-orders-parking.fifo")["QueueUrl"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def read_again(razors: Razors) -> None:
    """Read the table of subscriptions and the payments again, from the oldest record on."""
    function, client = "razors-subscriptions-dynamodb", razors.aws("lambda")
    [mapping] = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    client.delete_event_source_mapping(UUID=mapping["UUID"])
    again = {"EventSourceArn": mapping["EventSourceArn"], "StartingPosition": "TRIM_HORIZON"}
    client.create_event_source_mapping(FunctionName=function, **again)
    razors.project.rewind()


def replay(razors: Razors) -> None:
    """Send everything again from the archives of the buses."""
    events, now, hour = razors.aws("events"), datetime.now(UTC), timedelta(hours=1)
    for name in ("subscriptions", "payments"):
        archive = events.describe_archive(ArchiveName=name)
        source, bus = archive["ArchiveArn"], {"Arn": archive["EventSourceArn"]}
        events.start_replay(
            ReplayName=name, EventSourceArn=source, Destination=bus, EventStartTime=now - hour, EventEndTime=now + hour
        )


def nothing_changes(razors: Razors, repeats: int) -> None:
    """Each consumer receives each event so many times more, and has acted once."""
    for domain, worker in razors.workers.items():
        counts = partial(map, worker.repeats.__getitem__, worker.handled)
        razors.hop(f"{domain:<13} has had {' and '.join(worker.handled)} before", lambda: min(counts()) >= repeats)  # noqa: B023
        assert set(worker.handled.values()) == {1}
    assert (razors.stock.allocated("razor"), razors.payments.statuses("s-1")) == (0, ["cancelled"])
    assert razors.subscriptions.status("s-1") == "cancelled"
