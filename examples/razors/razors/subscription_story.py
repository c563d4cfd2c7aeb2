"""The story of a subscription, hop by hop: created, cancelled, and then all of it again, to no effect."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial

from razors import account
from razors.hops import NOW
from razors.stock import MONTHS
from razors.system import System
from tailrace.dev.aws import arn

SUBSCRIPTION, PRODUCT = "sub-1", "razor"
REWIND = [sys.executable, "-P", "-m", "tailer", "checkpoint", "rewind", "--to", "beginning"]


def tell(here: System) -> None:
    hops, hear = here.hops, partial(here.hops.hear, subscriptionId=SUBSCRIPTION)
    hops.chapter("a customer subscribes to razors, one a month")
    here.subscriptions.create(SUBSCRIPTION, PRODUCT, 1, "Ada")
    created = hear("subscriptions", "SubscriptionCreated", "from the table's stream")
    hops.check("                  it carries nothing of the customer", lambda: "Ada" not in json.dumps(created.data), NOW)
    hear("stock", "SubscriptionCreated", "from the other bus")
    hear("payments", "SubscriptionCreated", "from the other bus")
    hops.check(f"stock             {MONTHS} units allocated", lambda: here.stock.allocated(PRODUCT) == MONTHS)
    hops.check("payments          one payment created in MongoDB", lambda: len(here.payments.statuses(SUBSCRIPTION)) == 1)
    hear("payments", "PaymentCreated", "from the change stream")

    hops.chapter("the bank cancels the direct debit")
    here.payments.cancel(SUBSCRIPTION)
    cancelled = hear("payments", "PaymentCancelled", "from the change stream")
    hear("stock", "PaymentCancelled", "from the other bus")
    hear("subscriptions", "PaymentCancelled", "from the other bus")
    hops.check("stock             0 units allocated", lambda: here.stock.allocated(PRODUCT) == 0)
    hops.check("subscriptions     cancelled", lambda: here.subscriptions.status(SUBSCRIPTION) == "cancelled")
    hear("subscriptions", "SubscriptionCancelled", "from the table's stream")

    hops.chapter("both sources are read again from the beginning")
    account.read_again(here.aws, "razors-subscriptions-forwarder")
    again = hear("subscriptions", "SubscriptionCreated", "from the table's stream")
    hops.check(f"                  the same metadata.id {again.id}", partial(bool, again.id == created.id), NOW)
    tailer = here.tailers[-1]  # as an operator does: stop the tailer, rewind its stream, start it
    tailer.stop()
    rewound = subprocess.run(REWIND, env=os.environ | tailer.settings, capture_output=True, check=False).returncode == 0
    hops.check("tailer            checkpoint rewind --to beginning", partial(bool, rewound), NOW)
    here.run_tailer(tailer.settings)
    again = hear("payments", "PaymentCancelled", "from the change stream")
    hops.check(f"                  the same metadata.id {again.id}", partial(bool, again.id == cancelled.id), NOW)
    unchanged(here, times=1)

    hops.chapter("everything is replayed from the archives")
    now, hour = datetime.now(UTC), timedelta(hours=1)
    for domain in account.PUBLISHERS:
        source, bus = arn("events", f"archive/{domain}"), {"Arn": account.bus_arn(domain)}
        here.aws("events").start_replay(
            ReplayName=domain, EventSourceArn=source, Destination=bus, EventStartTime=now - hour, EventEndTime=now + hour
        )
    unchanged(here, times=2)


def unchanged(here: System, times: int) -> None:
    """Each consumer has received each event so many times more, and has done nothing twice."""
    hops = here.hops
    for domain, worker in here.workers.items():
        text = f"{domain:<17} has had {' and '.join(worker.handled)} before: the same metadata.id"
        hops.check(
            text,
            partial(lambda repeats, names: all(repeats[name] >= times for name in names), worker.repeats, list(worker.handled)),
        )
    hops.check("stock             still 0 units allocated", lambda: here.stock.allocated(PRODUCT) == 0, NOW)
    statuses = here.payments.statuses(SUBSCRIPTION)
    hops.check("payments          still one payment, cancelled", lambda: statuses == ["cancelled"], NOW)
    hops.check("subscriptions     still cancelled", lambda: here.subscriptions.status(SUBSCRIPTION) == "cancelled", NOW)
    once = all(number == 1 for worker in here.workers.values() for number in worker.handled.values())
    hops.check("                  each event was acted upon once", partial(bool, once), NOW)
