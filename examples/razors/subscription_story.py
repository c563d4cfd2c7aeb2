"""The story of a subscription, told hop by hop: created, cancelled, and then all of it again, to no effect."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from examples.razors import functions
from examples.razors.account import SUBSCRIPTIONS, WANTED, bus, bus_arn
from examples.razors.functions import SUBSCRIPTIONS_FORWARDER
from examples.razors.hops import NOW
from examples.razors.inbox import Inbox
from examples.razors.stage import Stage
from examples.razors.stock import MONTHS
from infra.package import REPOSITORY
from tailrace.dev.aws import arn

SUBSCRIPTION, PRODUCT = "sub-1", "razor"
STOP_SECONDS = 1.0


def subscribe(here: Stage) -> None:
    """A customer subscribes: stock and payments hear of it and act."""
    hops = here.hops
    hops.chapter("a customer subscribes to razors, one a month")
    here.subscriptions.create(SUBSCRIPTION, PRODUCT, 1, "Ada")
    event = hops.hear("subscriptions", "SubscriptionCreated", "from the table's stream", subscriptionId=SUBSCRIPTION)
    here.heard[event.name] = event.id
    hops.check("                  it carries nothing of the customer", lambda: "Ada" not in json.dumps(event.data), NOW)
    hops.hear("stock", "SubscriptionCreated", "from the other bus", subscriptionId=SUBSCRIPTION)
    hops.hear("payments", "SubscriptionCreated", "from the other bus", subscriptionId=SUBSCRIPTION)
    hops.check(f"stock             {MONTHS} units allocated", lambda: here.stock.allocated(PRODUCT) == MONTHS)
    hops.check("payments          one payment created in MongoDB", lambda: len(here.payments.of(SUBSCRIPTION)) == 1)
    hops.hear("payments", "PaymentCreated", "from the change stream", subscriptionId=SUBSCRIPTION)


def cancel(here: Stage) -> None:
    """The direct debit is cancelled: stock and subscriptions hear of it and act."""
    hops = here.hops
    hops.chapter("the bank cancels the direct debit")
    here.payments.cancel(SUBSCRIPTION)
    event = hops.hear("payments", "PaymentCancelled", "from the change stream", subscriptionId=SUBSCRIPTION)
    here.heard[event.name] = event.id
    hops.hear("stock", "PaymentCancelled", "from the other bus", subscriptionId=SUBSCRIPTION)
    hops.hear("subscriptions", "PaymentCancelled", "from the other bus", subscriptionId=SUBSCRIPTION)
    hops.check("stock             0 units allocated", lambda: here.stock.allocated(PRODUCT) == 0)
    hops.check("subscriptions     cancelled", lambda: here.subscriptions.status(SUBSCRIPTION) == "cancelled")
    hops.hear("subscriptions", "SubscriptionCancelled", "from the table's stream", subscriptionId=SUBSCRIPTION)


def read_again(here: Stage) -> None:
    """Both sources are read again from their beginning: what is published again carries the ids it had."""
    hops, stack = here.hops, here.stack
    hops.chapter("both sources are read again from the beginning")
    functions.read_again(stack.aws, SUBSCRIPTIONS_FORWARDER, here.account.streams[SUBSCRIPTIONS], "subscriptions")
    event = hops.hear("subscriptions", "SubscriptionCreated", "from the table's stream", subscriptionId=SUBSCRIPTION)
    hops.check(f"                  the same metadata.id {event.id}", lambda: event.id == here.heard[event.name], NOW)
    rewind(here)
    event = hops.hear("payments", "PaymentCancelled", "from the change stream", subscriptionId=SUBSCRIPTION)
    hops.check(f"                  the same metadata.id {event.id}", lambda: event.id == here.heard[event.name], NOW)
    unchanged(here, times=1)


def rewind(here: Stage) -> None:
    """What an operator does: stop the tailer, rewind its stream, start it."""
    stack = here.stack
    stack.tailers[-1].stop()
    command = [sys.executable, "-P", "-m", "tailer", "checkpoint", "rewind", "--to", "beginning"]
    environment = {**stack.tailer_environment, "PYTHONPATH": str(REPOSITORY)}
    rewinding = stack.workspace.spawn("rewind", command, environment)
    text = "tailer            checkpoint rewind --to beginning"
    here.hops.check(text, lambda: not rewinding.running and rewinding.stop(STOP_SECONDS) == 0)
    stack.start_tailer()


def replay(here: Stage) -> None:
    """The archives of the two telling buses are replayed: the consumers see every event once more."""
    here.hops.chapter("everything is replayed from the archives")
    for domain in ("subscriptions", "payments"):
        _start_replay(here.stack.aws("events"), domain)
    unchanged(here, times=2)


def unchanged(here: Stage, times: int) -> None:
    """Each consumer has had each event so many times more, and has done nothing twice."""
    hops = here.hops
    for domain, names in WANTED.items():
        if names:
            text = f"{domain:<17} has had {' and '.join(names)} before: the same metadata.id"
            hops.check(text, partial(_repeated, here.inboxes[domain], names, times))
    hops.check("stock             still 0 units allocated", lambda: here.stock.allocated(PRODUCT) == 0, NOW)
    hops.check("payments          still one payment, cancelled", lambda: _statuses(here) == ["cancelled"], NOW)
    hops.check("subscriptions     still cancelled", lambda: here.subscriptions.status(SUBSCRIPTION) == "cancelled", NOW)
    once = all(number == 1 for inbox in here.inboxes.values() for number in inbox.handled.values())
    hops.check("                  each event was acted upon once", partial(bool, once), NOW)


def _repeated(inbox: Inbox, names: Sequence[str], times: int) -> bool:
    return all(inbox.repeats[name] >= times for name in names)


def _statuses(here: Stage) -> list[str]:
    return [payment["status"] for payment in here.payments.of(SUBSCRIPTION)]


def _start_replay(events: Any, domain: str) -> None:
    now = datetime.now(UTC)
    events.start_replay(
        ReplayName=f"again-{domain}",
        EventSourceArn=arn("events", f"archive/{bus(domain)}"),
        Destination={"Arn": bus_arn(domain)},
        EventStartTime=now - timedelta(hours=1),
        EventEndTime=now + timedelta(hours=1),
    )
