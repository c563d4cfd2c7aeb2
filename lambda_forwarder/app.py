"""The forwarder's only composition root: it reads the environment, builds clients and chooses adapters."""

import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lambda_forwarder.aws.clients import client, until
from lambda_forwarder.claims.s3 import S3Claims
from lambda_forwarder.errors import ForwarderError, Misconfigured
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.logs import make_legible
from lambda_forwarder.mapping.unmapped import Unmapped
from lambda_forwarder.metrics.metrics import Metrics
from lambda_forwarder.model.received import Record, by_group
from lambda_forwarder.parking.sqs import SqsParking
from lambda_forwarder.ports import Publisher, TimeLeft
from lambda_forwarder.publishing.bus_checks import BusCheckingPublisher
from lambda_forwarder.publishing.classic_bus import ClassicBus
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.publishing.large import LargePublisher
from lambda_forwarder.publishing.ordered_bus import OrderedBus, is_ordered
from lambda_forwarder.publishing.strict_order import StrictOrderPublisher
from lambda_forwarder.redelivery.dynamodb import DynamodbAttempts
from lambda_forwarder.redelivery.returned import Returned
from lambda_forwarder.redelivery.sqs import SqsQueue
from lambda_forwarder.settings import Settings, read_settings
from lambda_forwarder.watermarks.dynamodb import DynamodbWatermarks
from lambda_forwarder.watermarks.expiry import of_unknown
from lambda_forwarder.watermarks.unmapped import DynamodbUnmapped
from tailrace.wire.message import MEMORY

WATERMARKS_OFF = (
    "FORWARDER_WATERMARKS is off. A change that the tailer sends again, after a crash or a failed call, is published again "
    "with the same metadata.id. To drop such repeats, set FORWARDER_WATERMARKS to a DynamoDB table"
)

FUNCTION_MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"  # MB; Lambda sets it
OVERHEAD = 110  # MB; Python, boto3, its clients and a Lambda event
LEAST_ROOM = 16  # MB

MARGIN = 12.0  # seconds before Lambda's timeout without new work; the slowest call with its retries takes as long

log = logging.getLogger(__name__)


@cache
def forwarder(kind: type[Settings] = Settings) -> Forwarder:
    """
    Build the forwarder from the environment, once, and check all resources that it uses.

    Raises:
        Misconfigured: the message lists every problem.
    """
    make_legible()
    settings = read_settings(kind)
    table, bucket = settings.watermark_table, settings.claim_bucket
    publisher, check_bus = _publisher(settings.event_bus)
    sqs, dynamodb = client("sqs"), client("dynamodb") if table else None
    expires = of_unknown(settings.streams, time.time)
    watermarks = DynamodbWatermarks(dynamodb, table, expires=expires) if table else None
    claims = S3Claims(client("s3"), bucket) if bucket else None
    parking = SqsParking(sqs, settings.parking_queue_url, claims)
    run_checks([check_bus, *(used.check for used in (parking, watermarks, claims) if used)])
    if kind is Settings and not table:
        log.warning(WATERMARKS_OFF, extra={"action": "watermarks_off"})
    log.info("ready", extra={"action": "started", "event_bus": settings.event_bus, "watermarks": table, "claim_bucket": bucket})
    block = settings.on_poison == "block"
    fitting: Publisher = LargePublisher(publisher, claims) if claims else publisher
    return Forwarder(
        mappers=settings.mappers,
        table=settings.mappers.called,
        publisher=StrictOrderPublisher(fitting) if block else fitting,
        parking=parking,
        watermarks=watermarks,
        attempts=DynamodbAttempts(dynamodb, table) if table else None,
        queue=SqsQueue(sqs),
        claims=claims,
        source=settings.source,
        block=block,
        room=room(),
        metrics=Metrics(settings.emf_namespace or "", now=_now, streams=settings.streams),
        unmapped=Unmapped(DynamodbUnmapped(dynamodb, table) if table else None, settings.streams),
    )


def room() -> int:
    """Bytes of memory that the contents of one message or claim may use in this function; outside Lambda as with 512 MB."""
    memory = os.environ.get(FUNCTION_MEMORY)
    return max(int(memory) - OVERHEAD, LEAST_ROOM) * 1_048_576 if memory else MEMORY


def return_all(records: Sequence[Record], error: ForwarderError) -> None:
    """Hide the messages, so that SQS redelivers them later: the function cannot start, and each receive is counted."""
    with suppress(Misconfigured):
        returned = Returned(SqsQueue(client("sqs")), None, time.time)
        for left in by_group(records).values():
            returned.failed(left, error)
        returned.settle(lambda: 0.0)


def run_checks(checks: Iterable[Callable[[], None]]) -> None:
    """
    Run the checks of all resources.

    Raises:
        Misconfigured: the message has one line for each problem, with its setting and its remedy.
    """
    problems = []
    for check in checks:
        try:
            check()
        except Misconfigured as error:
            problems.append(str(error))
    if problems:
        raise Misconfigured("\n".join(problems))


def time_left(context: Any) -> TimeLeft:
    """The time until Lambda's timeout, less ``MARGIN``, or less half of a short timeout."""

    def seconds() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    until(seconds)
    margin = min(MARGIN, seconds() / 2)
    return lambda: seconds() - margin


def _publisher(bus: str) -> tuple[Publisher, Callable[[], None]]:
    """Return the publisher to this bus, and the check of the bus."""
    if is_ordered(bus):
        ordered = OrderedBus(client("eventbridgev2"), bus)
        return EventBridgePublisher(ordered), ordered.check
    classic = ClassicBus(client("events"), bus)
    publisher = BusCheckingPublisher(EventBridgePublisher(classic), classic.check, now=_now)
    return publisher, publisher.check


def _now() -> datetime:
    return datetime.now(UTC)
