"""The forwarder's only composition root: it reads the environment, builds clients and chooses adapters."""

import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from lambda_forwarder.aws.clients import client
from lambda_forwarder.aws.resources import run_checks
from lambda_forwarder.aws.table import Table
from lambda_forwarder.claims.s3 import S3Claims
from lambda_forwarder.dynamodb.stream_forwarder import StreamForwarder
from lambda_forwarder.errors import ForwarderError, Misconfigured
from lambda_forwarder.forwarding.forwarder import Forwarder
from lambda_forwarder.logs import make_legible
from lambda_forwarder.mapping.unmapped import Unmapped
from lambda_forwarder.metrics.metrics import Metrics
from lambda_forwarder.model.delivery import Delivery, by_group
from lambda_forwarder.parking.sqs import SqsParking
from lambda_forwarder.ports import Claims, Publisher
from lambda_forwarder.publishing.bus_checks import BusCheckingPublisher
from lambda_forwarder.publishing.buses import ClassicBus, OrderedBus, is_ordered
from lambda_forwarder.publishing.eventbridge import EventBridgePublisher
from lambda_forwarder.redelivery.returned_messages import ReturnedMessages
from lambda_forwarder.redelivery.sqs import SqsQueue
from lambda_forwarder.redriving.queues import dead_letter_queue, parking_queue
from lambda_forwarder.redriving.reader import SHARE
from lambda_forwarder.redriving.redriver import Redriver
from lambda_forwarder.redriving.sqs import SqsBacklog
from lambda_forwarder.settings import Settings, StreamSettings, read_settings
from lambda_forwarder.states.dynamodb import NEEDS, SETTING, DynamodbLastStates
from lambda_forwarder.states.remembering import Remembering
from lambda_forwarder.watermarks.dynamodb import DynamodbAttempts, DynamodbUnmapped, DynamodbWatermarks
from tailrace.wire.message import MEMORY

WATERMARKS_OFF = (
    "FORWARDER_WATERMARKS is off. A change that the tailer sends again, after a crash or a failed call, is published again "
    "with the same metadata.id. To drop such repeats, set FORWARDER_WATERMARKS to a DynamoDB table"
)

FUNCTION_MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"  # MB; Lambda sets it
OVERHEAD = 110  # MB; Python, boto3, its clients and a Lambda event
LEAST_ROOM = 16  # MB

log = logging.getLogger(__name__)

utc_now = partial(datetime.now, UTC)


@cache
def forwarder(kind: type[Settings] = Settings) -> Forwarder:
    """Build the forwarder from the environment, once."""
    make_legible()
    return build_forwarder(read_settings(kind))


@cache
def stream_forwarder() -> StreamForwarder:
    """As ``forwarder``, for a DynamoDB stream."""
    settings = read_settings(StreamSettings)
    return StreamForwarder(forwarder=forwarder(StreamSettings), park_on_outage=settings.on_outage == "park")


@cache
def redriver(**options: Any) -> Redriver:
    """As ``forwarder``, for redrive. The options are those of ``build_redriver``."""
    return build_redriver(read_settings(), forwarder(), **options)


def build_forwarder(
    settings: Settings, *, client: Callable[[str], Any] = client, now: Callable[[], datetime] = utc_now
) -> Forwarder:
    """Build a forwarder and check all resources that it uses. ``client`` returns the boto3 client of a service."""
    bucket, table_name, sqs = settings.claim_bucket, settings.watermark_table, client("sqs")
    table = Table(client("dynamodb"), table_name) if table_name else None
    watermarks = DynamodbWatermarks(table, settings.streams) if table else None
    claims = S3Claims(client("s3"), bucket) if bucket else None
    states = _last_states(settings, client)
    publisher, check_bus = _publisher(settings.event_bus, claims, client, now)
    parking = SqsParking(sqs, settings.parking_queue_url, claims)
    run_checks([check_bus, *(used.check for used in (parking, watermarks, states, claims) if used)])
    if not table and not isinstance(settings, StreamSettings):
        log.warning(WATERMARKS_OFF, extra={"action": "watermarks_off"})
    log.info(
        "ready", extra={"action": "started", "event_bus": settings.event_bus, "watermarks": table_name, "claim_bucket": bucket}
    )
    return Forwarder(
        mappers=settings.mappers,
        table=settings.mappers.called,
        publisher=publisher,
        parking=parking,
        watermarks=watermarks,
        attempts=DynamodbAttempts(table) if table else None,
        queue=SqsQueue(sqs),
        claims=claims,
        remembering=Remembering(states=states, mappers=settings.mappers) if states else None,
        source=settings.source,
        block=settings.on_poison == "block",
        room=room(),
        metrics=Metrics(settings.emf_namespace or "", now=now, streams=settings.streams),
        unmapped=Unmapped(DynamodbUnmapped(table) if table else None, settings.streams),
    )


def build_redriver(
    settings: Settings,
    forwarder: Forwarder,
    *,
    parking: str | None = None,
    dead_letters: str | None = None,
    ended: bool = False,
) -> Redriver:
    """
    Build a redriver and check its queues. ``parking`` and ``dead_letters`` are URLs that replace those of the settings. With
    ``ended`` changes that ended the function are published too.
    """
    sqs, dead_url = client("sqs"), dead_letters or settings.dead_letter_queue_url
    room = forwarder.room * SHARE // (SHARE + 1)  # for one message, beside the messages that are read already
    metrics = Metrics(settings.emf_namespace or "", streams=settings.streams)  # no latency: the changes have waited
    parked = SqsBacklog(sqs, parking or settings.parking_queue_url, "FORWARDER_PARKING_QUEUE_URL")
    queues = [parking_queue(parked, forwarder.claims, ended=ended, room=room)]
    backlogs = [parked] if parking else []  # the forwarder has checked the queue of the settings
    if dead_url == parked.queue_url:
        raise Misconfigured(
            "FORWARDER_DEAD_LETTER_QUEUE_URL: it is the parking queue; set it to the tailer's dead-letter queue"
        )
    if dead_url:
        backlogs.append(SqsBacklog(sqs, dead_url, "FORWARDER_DEAD_LETTER_QUEUE_URL"))
        queues.append(dead_letter_queue(backlogs[-1], room))
    run_checks(backlog.check for backlog in backlogs)
    return Redriver(forwarder=replace(forwarder, room=room, metrics=metrics), queues=queues)


def room() -> int:
    """Bytes of memory that the contents of one message or claim may use in this function; outside Lambda as with 512 MB."""
    memory = os.environ.get(FUNCTION_MEMORY)
    return max(int(memory) - OVERHEAD, LEAST_ROOM) * 1_048_576 if memory else MEMORY


def return_all(deliveries: Sequence[Delivery], error: ForwarderError) -> None:
    """Hide the messages, so that SQS redelivers them later: the function cannot start, and each receive is counted."""
    with suppress(Misconfigured):
        returned = ReturnedMessages(SqsQueue(client("sqs")), None, time.time)
        for group in by_group(deliveries).values():
            returned.failed(group, error)
        returned.finish(lambda: 0.0)


def _last_states(settings: Settings, client: Callable[[str], Any]) -> DynamodbLastStates | None:
    """Return the store of last states, if there is a table for it. A DynamoDB stream shows each item before a change."""
    if not settings.last_states or isinstance(settings, StreamSettings):
        return None
    return DynamodbLastStates(Table(client("dynamodb"), settings.last_states, setting=SETTING, needs=NEEDS))


def _publisher(
    bus: str, claims: Claims | None, client: Callable[[str], Any], now: Callable[[], datetime]
) -> tuple[Publisher, Callable[[], None]]:
    """Return the publisher to this bus, and the check of the bus."""
    if is_ordered(bus):
        ordered = OrderedBus(client("eventbridgev2"), bus)
        return EventBridgePublisher(ordered, claims), ordered.check
    classic = ClassicBus(client("events"), bus)
    publisher = BusCheckingPublisher(EventBridgePublisher(classic, claims), classic.check, now=now)
    return publisher, publisher.check
