"""The story of the order store, told hop by hop: its publisher fails for a while, and its callers notice nothing."""

import http.client
import json
from contextlib import closing
from functools import partial
from typing import Any

from examples.razors import functions
from examples.razors.account import REDRIVE
from examples.razors.hops import NOW
from examples.razors.stage import Stage

SCHEDULE_SECONDS = 130.0  # two turns of a schedule of a minute
OUTAGE_ORDERS = 3


def outage(here: Stage) -> None:
    """The order store answers its callers while its publisher fails; the events wait in a queue."""
    hops = here.hops
    hops.chapter("an order is stored by a REST call, and changed")
    hops.check("order store       PUT /orders/o-0 answers 200", lambda: put(here, 0, {"total": 12.5, "lines": ["razor"]}))
    created = hops.hear("orders", "DataChanged", "created, with the complete item", operation="created")
    whole = {"orderId": "o-0", "total": 12.5, "lines": ["razor"]}
    hops.check(f"                  item {json.dumps(whole)}", lambda: created.data["item"] == whole, NOW)
    hops.check("order store       PUT /orders/o-0 answers 200", lambda: put(here, 0, {"total": 15, "lines": ["razor"]}))
    updated = hops.hear("orders", "DataChanged", "updated, with the patch", operation="updated")
    patch = [{"op": "replace", "path": "/total", "value": 15}]
    hops.check(f"                  patch {json.dumps(patch)}", lambda: updated.data["patch"] == patch, NOW)

    hops.chapter("the way to the bus is closed")
    here.gate.closed = True
    for number in range(1, OUTAGE_ORDERS + 1):
        answered = put(here, number, {"total": number})
        hops.check(f"order store       PUT /orders/o-{number} answers 200 all the same", partial(bool, answered))
    hops.check("forwarder         is refused, and tries again", lambda: here.gate.refused > 1)
    hops.check(f"parking queue     {OUTAGE_ORDERS} changes wait", lambda: waiting(here) == OUTAGE_ORDERS)


def redrive(here: Stage, *, wait_for_schedule: bool) -> None:
    """The bus is back; the schedule publishes what waited."""
    hops, seconds = here.hops, SCHEDULE_SECONDS
    hops.chapter("the way to the bus is open again" + (", and the schedule's minute comes" if wait_for_schedule else ""))
    here.gate.closed = False
    if not wait_for_schedule:
        report = functions.invoke(here.stack.aws, REDRIVE, {})
        hops.check(f"redrive           invoked as the schedule does: {report}", lambda: report["left"] == 0, NOW)
    for number in range(1, OUTAGE_ORDERS + 1):
        event = hops.hear("orders", "DataChanged", f"o-{number}, created", seconds, key={"_id": f"o-{number}"})
        hops.check("                  marked late", partial(bool, event.metadata.get("late")), NOW)
    hops.check("parking queue     empty", lambda: waiting(here) == 0)


def put(here: Stage, number: int, fields: dict[str, Any]) -> bool:
    """Whether the order store answered 200."""
    service = http.client.HTTPConnection("127.0.0.1", here.store.port, timeout=10)
    with closing(service):
        service.request("PUT", f"/orders/o-{number}", json.dumps(fields))
        return service.getresponse().status == 200


def waiting(here: Stage) -> int:
    """How many messages the order store's parking queue holds, whoever has them in hand."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    response = here.stack.aws("sqs").get_queue_attributes(QueueUrl=here.account.parking["orders"], AttributeNames=names)
    return sum(int(response["Attributes"][name]) for name in names)
