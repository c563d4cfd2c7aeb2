"""The composition root: the only place where adapters are named, clients built and the environment's settings used."""

import gc
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tailer.aws.clients import aws_client
from tailer.aws.lanes import lanes
from tailer.aws.s3_claims import S3Claims
from tailer.aws.sqs_sink import SqsSink
from tailer.aws.unmapped import shown
from tailer.checkpoints.candidate import LeaseCandidate
from tailer.cluster import Cluster
from tailer.encoded import encoder
from tailer.health.health import STANDING_BY, Health
from tailer.health.http import endpoints
from tailer.metrics.emf import emf_lines
from tailer.metrics.prometheus import Families, Metrics
from tailer.mongodb import change_streams
from tailer.mongodb.client import connect
from tailer.mongodb.cluster_facts import ClusterFacts
from tailer.mongodb.engine import maybe_documentdb
from tailer.mongodb.errors import STORE, WATCHED
from tailer.mongodb.opening import check_opens
from tailer.mongodb.reads import Reader, connect_reader
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import OWN_DATABASE, WHOLE, Scope, Watch
from tailer.poison.on_poison import PARK, OnPoison
from tailer.ports import CheckpointStore
from tailer.preflight import advice_on_tls, check_names, check_queue, check_replica_set
from tailer.settings.settings import Settings, as_set_in, misspelt
from tailer.stores.dynamodb import DynamodbCheckpoints
from tailer.stores.file import FileCheckpoints
from tailer.stores.mongodb import MongodbCheckpoints
from tailer.streaming.stream import Stream
from tailer.streaming.task import Task
from tailrace.wire.change import Namespace

log = logging.getLogger(__name__)


def run(streams: Sequence[Settings], stopping: threading.Event) -> None:
    """
    Tail one of the streams at a time, standing by for the others, until ``stopping`` is set.

    Raises:
        Misconfigured, HistoryLost, Rejected: as their names say; the message is for the person who reads the log.
    """
    for wrong, right in misspelt().items():
        log.warning("%s is not a setting; did you mean %s?", wrong, right, extra={"action": "unknown_setting"})
    for stream, advice in on_tls(streams):
        log.warning("%s", advice, extra={"action": "advice", "stream": stream})
    families = Families()
    health = Health(clock=time.monotonic, now=_now)
    families.standing_by.set_function(lambda: float(health.state == STANDING_BY))
    task = Task(
        streams=[_stream(settings, families, stopping, health) for settings in streams],
        stopping=stopping,
        health=health,
        now=_now,
    )
    with (
        endpoints(streams[0].http_host, streams[0].http_port, health, families),
        emf_lines(streams[0].emf_namespace, families, now=_now),
    ):
        task.run()


def source(settings: Settings, client: "MongoClient[Any] | None" = None, on_poison: OnPoison = PARK) -> MongodbSource:
    """The change stream that the settings describe; read through this client, if one is given."""
    if client is not None:
        return MongodbSource(client, watch(settings), settings.start)
    return MongodbSource(
        cluster(settings),
        watch(settings),
        settings.start,
        reader=_reader(settings),
        on_poison=on_poison,
        encode=encoder(lanes(settings.lanes, settings.order_by), on_poison),
    )


def watch(settings: Settings) -> Watch:
    """What the stream watches, and what its events carry."""
    return Watch(
        database=settings.database,
        collections=settings.collections,
        pipeline=settings.pipeline,
        full_document=settings.full_document,
        full_document_before_change=settings.full_document_before_change,
        but_not=OWN_DATABASE,
    )


def needed(settings: Settings) -> list[Scope]:
    """What DocumentDB must keep change streams for, so that the stream sees anything."""
    return change_streams.needed(watch(settings).scopes)


def candidate(settings: Settings) -> LeaseCandidate:
    """This process as one that wants the stream's lease."""
    return LeaseCandidate(
        checkpoint_store(settings),
        stream=settings.stream,
        identity=settings.identity,
        owner=f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}",
        seconds=settings.lease_seconds,
        clock=time.monotonic,
        now=_now,
        cluster=cluster_facts(settings),
    )


def cluster_facts(settings: Settings) -> Callable[[], Cluster]:
    """Asks the watched cluster who it is."""
    return ClusterFacts(lambda: cluster(settings))


def namespace(settings: Settings) -> Namespace:
    """What the stream watches, as far as one namespace can say it."""
    target = watch(settings).target
    return Namespace(db=target.database or WHOLE, coll=target.collection)


def checkpoint_store(settings: Settings) -> CheckpointStore:
    """The store that ``TAILER_CHECKPOINTS`` names."""
    url = settings.checkpoints.get_secret_value()
    match url.partition("://"):
        case ("dynamodb", _, table):
            return DynamodbCheckpoints(aws_client("dynamodb"), table.rstrip("/"))
        case ("file", _, path):
            return FileCheckpoints(Path(path))
        case ("mongodb:", "", ""):
            return MongodbCheckpoints(cluster(settings))
        case _:
            return MongodbCheckpoints(connect(url, STORE), STORE)


def unmapped(settings: Settings) -> dict[str, Any]:
    """What no mapper reads of the stream: kept in the forwarder's table, which is known where the checkpoints are in it too."""
    kind, _, table = settings.checkpoints.get_secret_value().partition("://")
    return shown(aws_client("dynamodb"), table.rstrip("/"), settings.stream) if kind == "dynamodb" else {}


def _stream(settings: Settings, families: Families, stopping: threading.Event, health: Health) -> Stream:
    sqs, metrics = aws_client("sqs"), Metrics(settings.stream, families)
    claims = S3Claims(aws_client("s3"), settings.claim_bucket) if settings.claim_bucket else None
    on_poison = OnPoison(stream=settings.stream, park=settings.on_poison == "park", claims=claims)
    sink = SqsSink(
        sqs,
        settings.queue_url,
        stream=settings.stream,
        lane_of=lanes(settings.lanes, settings.order_by),
        claims=claims,
        on_poison=on_poison,
        metrics=metrics,
        stopping=stopping,
        clock=time.monotonic,
        waits=health.waiting,
    )
    return Stream(
        name=settings.stream,
        ns=namespace(settings),
        source=source(settings, on_poison=on_poison),
        sink=sink,
        candidate=candidate(settings),
        metrics=metrics,
        ready=_preflight(settings, sqs),
        history_seconds=settings.history_seconds,
        cluster=ClusterFacts(lambda: _reader(settings).client),  # who is read: another client may be connected elsewhere
        as_set=as_set_in([settings]),
        on_poison=on_poison,
    )


def on_tls(streams: Sequence[Settings]) -> Iterator[tuple[str, str]]:
    """What would be better said otherwise in a URI: for each stream, and each URI of its own."""
    for settings in streams:
        as_set = as_set_in([settings])
        for setting, uri in ((WATCHED, settings.mongodb_uri), (STORE, settings.checkpoints)):
            for advice in advice_on_tls(uri.get_secret_value(), setting):
                yield settings.stream, as_set(advice)


def _preflight(settings: Settings, sqs: Any) -> Callable[[], None]:
    client, as_set = cluster(settings), as_set_in([settings])

    def ready() -> None:
        hello = check_replica_set(client)
        if maybe_documentdb(hello):
            change_streams.check_enabled(client, needed(settings))
        absent = check_names(client, watch(settings))
        check_opens(client, watch(settings))
        for advice in (*absent, *check_queue(sqs, settings.queue_url)):
            log.warning("%s", as_set(advice), extra={"action": "advice", "stream": settings.stream})

    return ready


def _now() -> datetime:
    return datetime.now(UTC)


def tune_garbage_collector() -> None:
    """Decoded documents hold no cycles, and looking for some after every few of them costs a seventh of the speed."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def cluster(settings: Settings) -> "MongoClient[Any]":
    """The client of the cluster to watch: one for all streams of this process that watch the same."""
    return connect(*_sign_in(settings))


def _reader(settings: Settings) -> Reader:
    """The client that reads the change streams of that cluster, and nothing else."""
    return connect_reader(*_sign_in(settings), seconds=settings.scan_seconds)


def _sign_in(settings: Settings) -> tuple[str, str, str, str]:
    uri, password = settings.mongodb_uri.get_secret_value(), settings.mongodb_password.get_secret_value()
    return uri, "TAILER_MONGODB_URI", settings.mongodb_username, password
