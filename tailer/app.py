"""``tailer run``: one task, built from the parts of its streams."""

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from tailer.aws.sqs_sink import SqsSink
from tailer.health.health import STANDING_BY, Health
from tailer.health.http import endpoints
from tailer.metrics.emf import emf_lines
from tailer.metrics.prometheus import Families, Metrics
from tailer.mongodb import change_streams
from tailer.mongodb.cluster_facts import ClusterFacts, maybe_documentdb
from tailer.mongodb.connection.errors import STORE, WATCHED
from tailer.mongodb.opening import check_opens
from tailer.parts import Parts
from tailer.poison.on_poison import OnPoison
from tailer.preflight import advice_on_tls, check_names, check_queue, check_replica_set
from tailer.settings.settings import Settings, as_set_in, misspelt
from tailer.streaming.stream import Stream
from tailer.streaming.task import Task

log = logging.getLogger(__name__)


def run(streams: Sequence[Parts], stopping: threading.Event) -> None:
    """
    Tail one of the streams at a time, standing by for the others, until ``stopping`` is set.

    Raises:
        Misconfigured, HistoryLost, Rejected: as their names say; the message is for the person who reads the log.
    """
    for wrong, right in misspelt().items():
        log.warning("%s is not a setting; did you mean %s?", wrong, right, extra={"action": "unknown_setting"})
    for stream, advice in on_tls([parts.settings for parts in streams]):
        log.warning("%s", advice, extra={"action": "advice", "stream": stream})
    families, settings = Families(), streams[0].settings
    health = Health(clock=time.monotonic, now=_now)
    families.standing_by.set_function(lambda: float(health.state == STANDING_BY))
    task = Task(
        streams=[_stream(parts, families, stopping, health) for parts in streams],
        stopping=stopping,
        health=health,
        now=_now,
    )
    with (
        endpoints(settings.http_host, settings.http_port, health, families),
        emf_lines(settings.emf_namespace, families, now=_now),
    ):
        task.run()


def _stream(parts: Parts, families: Families, stopping: threading.Event, health: Health) -> Stream:
    settings, metrics = parts.settings, Metrics(parts.settings.stream, families)
    on_poison = OnPoison(stream=settings.stream, park=settings.on_poison == "park", claims=parts.claims)
    sink = SqsSink(
        parts.sqs,
        settings.queue_url,
        stream=settings.stream,
        lane_of=parts.lane_of,
        claims=parts.claims,
        on_poison=on_poison,
        metrics=metrics,
        stopping=stopping,
        clock=time.monotonic,
        waits=health.waiting,
    )
    return Stream(
        name=settings.stream,
        ns=parts.namespace,
        source=parts.source_with(on_poison),
        sink=sink,
        candidate=parts.candidate,
        metrics=metrics,
        ready=_preflight(parts),
        history_seconds=settings.history_seconds,
        cluster=ClusterFacts(lambda: parts.reader.client),  # of the cluster that is read; the other client may see another
        rename_settings=as_set_in([settings]),
        on_poison=on_poison,
    )


def on_tls(streams: Sequence[Settings]) -> Iterator[tuple[str, str]]:
    """What would be better said otherwise in a URI: for each stream, and each URI of its own."""
    for settings in streams:
        as_set = as_set_in([settings])
        for setting, uri in ((WATCHED, settings.mongodb_uri), (STORE, settings.checkpoints)):
            for advice in advice_on_tls(uri.get_secret_value(), setting):
                yield settings.stream, as_set(advice)


def _preflight(parts: Parts) -> Callable[[], None]:
    client, as_set = parts.client, as_set_in([parts.settings])

    def ready() -> None:
        hello = check_replica_set(client)
        if maybe_documentdb(hello):
            change_streams.check_enabled(client, parts.scopes_to_enable)
        absent = check_names(client, parts.watch)
        check_opens(client, parts.watch)
        for advice in (*absent, *check_queue(parts.sqs, parts.settings.queue_url)):
            log.warning("%s", as_set(advice), extra={"action": "advice", "stream": parts.settings.stream})

    return ready


def _now() -> datetime:
    return datetime.now(UTC)


def tune_garbage_collector() -> None:
    """Decoded documents hold no cycles, and looking for some after every few of them costs a seventh of the speed."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
