"""``tailer run``: one task, built from the parts of its streams."""

import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence

from tailer.aws.sqs_sink import SqsSink
from tailer.checklist import all_checks
from tailer.checks import pass_start
from tailer.health.health import STANDING_BY, Health
from tailer.health.http import endpoints
from tailer.metrics.emf import emf_lines
from tailer.metrics.prometheus import Families, Metrics
from tailer.mongodb.cluster_facts import ClusterFacts
from tailer.parts import Parts
from tailer.poison import OnPoison
from tailer.settings.settings import as_set_in, misspelt
from tailer.streaming.stream import Stream
from tailer.streaming.task import Task
from tailer.times import now

log = logging.getLogger(__name__)


def run(streams: Sequence[Parts], stopping: threading.Event) -> None:
    """Tail one of the streams at a time, standing by for the others, until ``stopping`` is set."""
    for wrong, right in misspelt().items():
        log.warning("%s is not a setting; did you mean %s?", wrong, right, extra={"action": "unknown_setting"})
    families, settings = Families(), streams[0].settings
    health = Health(clock=time.monotonic, now=now)
    families.standing_by.set_function(lambda: float(health.state == STANDING_BY))
    task = Task(
        streams=[_stream(parts, families, stopping, health) for parts in streams],
        stopping=stopping,
        health=health,
        now=now,
    )
    with (
        endpoints(settings.http_host, settings.http_port, health, families),
        emf_lines(settings.emf_namespace, families, now=now),
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
        ready=_start(parts),
        history_seconds=settings.history_seconds,
        cluster=ClusterFacts(lambda: parts.reader.client),  # of the cluster that is read; the other client may see another
        rename_settings=as_set_in([settings]),
        on_poison=on_poison,
    )


def _start(parts: Parts) -> Callable[[], None]:
    """Return the checks of the start; a task runs them until they pass, and logs each piece of advice once."""
    advised, as_set, settings = set[str](), as_set_in([parts.settings]), parts.settings

    def advise(advice: str) -> None:
        if advice not in advised:
            advised.add(advice)
            log.warning("%s", as_set(advice), extra={"action": "advice", "stream": settings.stream})

    def start() -> None:
        pass_start(all_checks([parts]), advise)
        log.info("%s", parts.capabilities, extra={"action": "server", "stream": settings.stream})

    return start


def tune_garbage_collector() -> None:
    """Collect cycles rarely: decoded documents contain none, and the search for them costs a seventh of the speed."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
