"""The story of a subscription, hop by hop: created, cancelled, and then all of it again, to no effect."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial

from razors import account
from razors.stock import MONTHS
from razors.system import System
from razors.worker import Worker
from tailrace.dev.aws import arn

SUBSCRIPTION, PRODUCT = "sub-1", "razor"
REWIND = [sys.executable, "-P", "-m", "tailer", "checkpoint", "rewind", "--to", "beginning"]


def tell(here: System) -> None:
    hops, hear = here.hops, partial(here.hops.hear, subscriptionId=SUBSCRIPTION)
    hops.chapter("a customer subscribes to razors, one a month")
    here.subscriptions.create(SUBSCRIPTION, PRODUCT, 1, "Ada")
    created = hear("subscriptions", "SubscriptionCreated", "from the table's stream")
    hops.holds("                  it carries nothing of the customer", "Ada" not in json.dumps(created.data))
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
    hops.holds(f"                  the same metadata.id {again.id}", again.id == created.id)
    tailer = here.tailers[-1]  # as an operator does: stop the tailer, rewind its stream, start it
    tailer.stop()
    rewound = subprocess.run(REWIND, env=os.environ | tailer.settings, capture_output=True, check=False).returncode == 0
    hops.holds("tailer            checkpoint rewind --to beginning", rewound)
    here.run_tailer(tailer.settings)
    again = hear("payments", "PaymentCancelled", "from the change stream")
    hops.holds(f"                  the same metadata.id {again.id}", again.id == cancelled.id)
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
        hops.check(text, partial(repeated, worker, times))
    hops.holds("stock             still 0 units allocated", here.stock.allocated(PRODUCT) == 0)
    hops.holds("payments          still one payment, cancelled", here.payments.statuses(SUBSCRIPTION) == ["cancelled"])
    hops.holds("subscriptions     still cancelled", here.subscriptions.status(SUBSCRIPTION) == "cancelled")
    once = all(number == 1 for worker in here.workers.values() for number in worker.handled.values())
    hops.holds("                  each event was acted upon once", once)


def repeated(worker: Worker, times: int) -> bool:
    return all(worker.repeats[name] >= times for name in worker.handled)
