"""The tailer with the loop, source, sink, lease and clients of production. It sends to the responder."""

import os
import threading
import time

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.results import COLLECTION, DATABASE, Course, Meter, Run
from tailer.aws.clients import aws_client
from tailer.aws.lanes import lanes
from tailer.aws.sqs_sink import SqsSink
from tailer.checkpoints.candidate import LeaseCandidate
from tailer.encoded import encoder
from tailer.metrics.prometheus import Metrics
from tailer.model import At, Batch, Checkpoint
from tailer.mongodb.connection.client import connect
from tailer.mongodb.source import MongodbSource
from tailer.mongodb.watch import Watch
from tailer.poison import OnPoison
from tailer.stores.mongodb import MongodbCheckpoints
from tailer.streaming.tail import tail

LANES = 128  # the default of TAILER_LANES
LEASE = 15.0  # seconds, the default of TAILER_LEASE_SECONDS
READY = "the stream is open"


def run(course: Course) -> Run:
    """Run until every change of the course is accepted. Print ``READY`` once the stream was opened."""
    stopping, metrics = threading.Event(), Metrics("payments")
    client = connect(course.mongodb_uri)
    lane_of = lanes(LANES, "document")
    source = MongodbSource(
        client, Watch(database=DATABASE, collections=(COLLECTION,)), encode=encoder(lane_of, OnPoison(stream="payments"))
    )
    lease = _candidate(MongodbCheckpoints(client)).try_acquire()
    assert lease
    accepted: list[float] = []
    finished: list[Run] = []

    def delivered(batch: Batch) -> None:
        if not batch.changes and not accepted:
            print(READY, flush=True)
        accepted.extend([time.monotonic()] * len(batch.changes))
        if len(accepted) >= course.changes:
            finished.append(meter.run(len(accepted), **_counted(metrics), accepted=accepted))
            stopping.set()

    sink = SqsSink(
        aws_client("sqs"),
        course.queue_url,
        stream="payments",
        lane_of=lane_of,
        metrics=metrics,
        stopping=stopping,
        clock=time.monotonic,
    )
    with lease:
        meter, after = Meter(), Checkpoint(position=At(course.begin))
        lease.save(after)
        tail(source, sink, lease, after=after, stopping=stopping, opened=lambda: None, delivered=delivered)
    return finished[0]


def _candidate(store: MongodbCheckpoints) -> LeaseCandidate:
    stream = f"payments-{os.getpid()}"  # every run starts without a checkpoint
    return LeaseCandidate(store, stream=stream, identity="", owner=stream, seconds=LEASE, clock=time.monotonic)


def _counted(metrics: Metrics) -> dict[str, int]:
    families = text_string_to_metric_families(metrics.families.text().decode())
    samples = {sample.name: sample.value for family in families for sample in family.samples}
    names = {"calls": "calls", "messages": "messages", "sent": "message_bytes"}
    return {figure: int(samples[f"tailrace_{name}_total"]) for figure, name in names.items()}
