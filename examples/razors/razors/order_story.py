"""The story of the order store, hop by hop: its publisher fails for a while, and its callers notice nothing."""

import json
from typing import Any
from urllib.request import Request

from razors import account
from razors.orders import call
from razors.system import System

SCHEDULE_SECONDS = 130.0  # two turns of a schedule of a minute
LATE_ORDERS = ("o-1", "o-2", "o-3")


def outage(here: System) -> None:
    """The order store responds to its callers while its publisher fails; the events wait in a queue."""
    hops = here.hops
    hops.chapter("an order is stored by a REST call, and changed")
    put(here, "o-0", {"total": 12.5, "lines": ["razor"]})
    created = hops.hear("orders", "OrderChanged", "created, with the complete item", operation="insert")
    whole = {"orderId": "o-0", "total": 12.5, "lines": ["razor"]}
    hops.holds(f"                  item {json.dumps(whole)}", created.data["order"] == whole)
    put(here, "o-0", {"total": 15, "lines": ["razor"]})
    updated = hops.hear("orders", "OrderChanged", "updated, with the patch", operation="update")
    patch = [{"op": "replace", "path": "/total", "value": 15}]
    hops.holds(f"                  patch {json.dumps(patch)}", updated.data["patch"] == patch)

    hops.chapter("the bus does not respond")
    here.gate.closed = True
    for number, order in enumerate(LATE_ORDERS, 1):
        put(here, order, {"total": number}, " all the same")
    hops.check("forwarder         is refused, and tries again", lambda: here.gate.refused > 1)
    hops.check(f"parking queue     {len(LATE_ORDERS)} changes wait", lambda: waiting(here) == len(LATE_ORDERS))


def redrive(here: System, *, wait_for_schedule: bool) -> None:
    """The bus is back; the schedule publishes what waited."""
    hops = here.hops
    hops.chapter("the bus responds again" + (", and the schedule's minute comes" if wait_for_schedule else ""))
    here.gate.closed = False
    if not wait_for_schedule:
        report = account.redrive(here.aws)
        hops.holds(f"redrive           invoked as the schedule does: {report}", report["left"] == 0)
    for order in LATE_ORDERS:
        event = hops.hear("orders", "OrderChanged", f"{order}, created", SCHEDULE_SECONDS, orderId=order)
        hops.holds("                  marked late", event.metadata.late)
    hops.check("parking queue     empty", lambda: waiting(here) == 0)


def put(here: System, order: str, fields: dict[str, Any], text: str = "") -> None:
    request = Request(f"http://127.0.0.1:{here.store.server_port}/orders/{order}", json.dumps(fields).encode(), method="PUT")
    with call(request, timeout=10) as response:
        here.hops.holds(f"order store       PUT /orders/{order} answers 200{text}", response.status == 200)


def waiting(here: System) -> int:
    """How many messages the order store's parking queue holds, received or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = account.queue_url(here.aws, "razors-orders-parking.fifo")
    response = here.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(response["Attributes"][name]) for name in names)
