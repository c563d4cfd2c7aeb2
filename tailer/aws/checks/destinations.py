"""Where the forwarder publishes, and what it keeps: by the settings of its function."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tailer.aws.checks.access import allowed
from tailer.aws.checks.forwarder import Forwarder, first_of
from tailer.aws.checks.queue import rejection_reason, waiting
from tailer.aws.remedies import NETWORK
from tailer.aws.unmapped import described, unmapped
from tailer.checks import Check, Finding, fail, ok, out_of_reach, skip, warn
from tailrace.aws.unmapped import KEPT_SECONDS

_ORDERED = ":event-busv2/"  # in the ARN of every ordered bus
_NO_SUCH = {"ResourceNotFoundException", "NotFoundException"}
_START_SECONDS = 30.0  # a cold start


def forwarder_checks(forwarder: Forwarder) -> list[Check]:
    check = partial(
        Check,
        outage=f"check that Lambda, EventBridge and SQS are reachable from here: {NETWORK}",
        mistake="correct the function's settings, or deploy the forwarder again",
    )
    out = out_of_reach("lambda")
    mapping = check(name="forwarder.mapping", run=forwarder.mapping, needs=("queue.exists",), late=out)
    function = check(name="forwarder.function", run=forwarder.function, needs=("forwarder.mapping",), late=out)
    check = partial(check, needs=("forwarder.function",))
    return [
        mapping,
        function,
        check(name="queue.visibility", run=forwarder.visibility),
        check(name="forwarder.bus", run=partial(bus, forwarder), late=out_of_reach("events")),
        check(name="forwarder.start", run=forwarder.start, needs=("forwarder.bus",), seconds=_START_SECONDS),
        check(name="forwarder.mapped", run=forwarder.mapped, needs=("forwarder.start",)),
        check(name="forwarder.unmapped", run=partial(all_mapped, forwarder), late=out_of_reach("dynamodb")),
        check(name="forwarder.watermarks", run=partial(watermarks, forwarder)),
        check(name="forwarder.parking", run=partial(parking, forwarder)),
    ]


def bus(forwarder: Forwarder) -> Finding:
    """Check that the bus exists: EventBridge drops events for a missing bus without an error."""
    if not (bus := forwarder.setting("EVENT_BUS")):
        return fail("FORWARDER_EVENT_BUS is not set", "set it to the bus's name or ARN")
    with allowed(f"events:DescribeEventBus on {bus}", "FORWARDER_EVENT_BUS", bus):
        try:
            state = _described(forwarder, bus).get("State", "ACTIVE")
        except ClientError as error:
            if error.response["Error"].get("Code") not in _NO_SUCH:
                raise
            return fail(f"there is no bus {bus}: events would be dropped", "create it, or correct FORWARDER_EVENT_BUS")
    if state in ("ACTIVE", "UPDATING"):
        return ok(f"{bus} exists")
    return warn(f"{bus} is {state}", "wait until it is ACTIVE, or fix it")


def watermarks(forwarder: Forwarder) -> Finding:
    """Check that a change that the tailer sends again is not published again."""
    remedy = "set it to a DynamoDB table with a string partition key pk"
    match forwarder.setting("WATERMARKS"):
        case "":
            return fail("FORWARDER_WATERMARKS is not set: the function does not start", f"{remedy}, or to off")
        case "off":
            return warn("FORWARDER_WATERMARKS is off: what the tailer sends again is published again", remedy)
        case table:
            return ok(f"in {table}")


def all_mapped(forwarder: Forwarder) -> Finding:
    """Check that every change of the last days was of a collection that a mapper reads."""
    if (table := forwarder.setting("WATERMARKS")) in ("", "off"):
        return skip("FORWARDER_WATERMARKS is no table, so the function keeps no names", "see the metric Unmapped")
    kept = {name.strip() for name in forwarder.setting("STREAMS").split(",")}
    if unnamed := [stream for stream in forwarder.streams if stream not in kept]:
        return skip(f"FORWARDER_STREAMS does not name {', '.join(unnamed)}, so the function keeps no names", "add it there")
    with allowed(f"dynamodb:GetItem on {table}", "FORWARDER_WATERMARKS", table):
        found = [
            described(entry) for stream in forwarder.streams for entry in unmapped(forwarder.clients("dynamodb"), table, stream)
        ]
    if not found:
        return ok(f"no change of the last {KEPT_SECONDS // 86_400} days was without a mapper")
    return warn(
        f"no mapper reads {first_of(found, 'more collections')}",
        "give each an entry in the mapper table, perhaps without mappers, or watch less: docs/how-to/adding-an-event.md",
    )


def parking(forwarder: Forwarder) -> Finding:
    """Check that the parking queue accepts and keeps every change, and is empty."""
    if not (url := forwarder.setting("PARKING_QUEUE_URL")):
        return fail("FORWARDER_PARKING_QUEUE_URL is not set", "set it to the URL of a FIFO queue")
    name = url.rpartition("/")[2]
    attributes = forwarder.queue.other(url, name)
    if finding := rejection_reason(name, attributes):
        return finding
    if depth := waiting(attributes):
        return warn(
            f"{name} holds {depth} changes", "read their reason and remedy, then redrive them: docs/operations/redrive.md"
        )
    return ok(f"{name} is empty")


def _described(forwarder: Forwarder, bus: str) -> Mapping[str, Any]:
    described: Mapping[str, Any] = (
        forwarder.clients("eventbridgev2").describe_event_bus(EventBusArn=bus)
        if _ORDERED in bus
        else forwarder.clients("events").describe_event_bus(Name=bus)
    )
    return described
