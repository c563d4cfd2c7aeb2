"""The composition root: the only place where adapters are named, clients built and the environment's settings used."""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from pymongo import MongoClient

from tailer.checkpoints.dynamodb import DynamodbCheckpoints
from tailer.checkpoints.file import FileCheckpoints
from tailer.checkpoints.mongodb import DATABASE, MongodbCheckpoints
from tailer.http import endpoints
from tailer.lanes import lanes
from tailer.lease import Contender
from tailer.metrics import Metrics
from tailer.mongodb_errors import mongodb_errors
from tailer.mongodb_source import MongodbSource, Watch
from tailer.ports import CheckpointStore
from tailer.preflight import check_queue, check_replica_set
from tailer.pulse import Pulse
from tailer.run import Task
from tailer.settings import WHOLE_CLUSTER, Settings, misspelt
from tailer.sqs_sink import CALLS_AT_ONCE, SqsSink

log = logging.getLogger(__name__)

MONGODB_TIMEOUTS = {  # ms; what the URI says wins
    "serverSelectionTimeoutMS": 10_000,
    "connectTimeoutMS": 5_000,
    "socketTimeoutMS": 60_000,  # a server may read history for long before it finds one change that matches
}
AWS_CONFIG = Config(  # one attempt a call: the waiting and the trying again are ours, in one place
    connect_timeout=5,  # seconds, like the next; together they are how long a stopping tailer waits for a call
    read_timeout=10,
    retries={"total_max_attempts": 1},
    max_pool_connections=CALLS_AT_ONCE,
    parameter_validation=False,
    tcp_keepalive=True,
)


def run(settings: Settings, stopping: threading.Event) -> None:
    """
    Tail the stream until ``stopping`` is set.

    Raises:
        Misconfigured, HistoryLost, Rejected: as their names say; the message is for the person who reads the log.
    """
    for wrong, right in misspelt().items():
        log.warning("%s is not a setting; did you mean %s?", wrong, right, extra={"action": "unknown_setting"})
    metrics = Metrics(settings.stream)
    pulse = Pulse(metrics, clock=time.monotonic, now=lambda: datetime.now(UTC))
    client = connect(settings.mongodb_uri.get_secret_value())
    sqs = aws_client("sqs")
    task = Task(
        source=MongodbSource(client, _watch(settings), settings.start),
        sink=SqsSink(
            sqs,
            settings.queue_url,
            stream=settings.stream,
            lane_of=lanes(settings.lanes, settings.order_by),
            metrics=metrics,
            stopping=stopping,
            clock=time.monotonic,
        ),
        contender=Contender(
            checkpoint_store(settings.checkpoints.get_secret_value(), client),
            stream=settings.stream,
            identity=settings.identity,
            owner=f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}",
            seconds=settings.lease_seconds,
            clock=time.monotonic,
        ),
        ready=_preflight(settings, client, sqs),
        stopping=stopping,
        pulse=pulse,
        metrics=metrics,
    )
    with endpoints(settings.http_host, settings.http_port, pulse, metrics):
        task.run()


def connect(uri: str) -> "MongoClient[Any]":
    """A client whose calls cannot hang for ever and, on a sharded cluster, all go through one router."""
    timeouts: dict[str, Any] = {
        name: value for name, value in MONGODB_TIMEOUTS.items() if f"{name}=".lower() not in uri.lower()
    }
    with mongodb_errors():
        return MongoClient(uri, appname="tailrace", retryWrites=False, server_selector=_one_router, **timeouts)


def aws_client(service: str) -> Any:
    """A boto3 client; ECS tells the region in AWS_REGION, boto3 by itself reads AWS_DEFAULT_REGION only."""
    return boto3.Session(region_name=os.environ.get("AWS_REGION")).client(service, config=AWS_CONFIG)


def checkpoint_store(url: str, watched: "MongoClient[Any]") -> CheckpointStore:
    """The store that ``TAILER_CHECKPOINTS`` names."""
    match urlsplit(url):
        case ("dynamodb", table, *_):
            return DynamodbCheckpoints(aws_client("dynamodb"), table)
        case ("file", _, path, *_):
            return FileCheckpoints(Path(path))
        case ("mongodb", "", *_):
            return MongodbCheckpoints(watched)
        case _:
            return MongodbCheckpoints(connect(url))


def _preflight(settings: Settings, client: "MongoClient[Any]", sqs: Any) -> Callable[[], None]:
    def ready() -> None:
        check_replica_set(client)
        for advice in check_queue(sqs, settings.queue_url):
            log.warning("%s", advice, extra={"action": "advice"})

    return ready


def _watch(settings: Settings) -> Watch:
    return Watch(
        database="" if settings.database == WHOLE_CLUSTER else settings.database,
        collections=settings.collections,
        pipeline=settings.pipeline,
        full_document=settings.full_document,
        full_document_before_change=settings.full_document_before_change,
        but_not=DATABASE,
    )


def _one_router(servers: list[Any]) -> list[Any]:
    """A cursor lives on the router that opened it: of several, always choose the same while it is there."""
    routers = [server for server in servers if server.server_type_name == "Mongos"]
    return sorted(routers, key=lambda router: router.address)[:1] or servers
