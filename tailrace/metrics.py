"""
Every metric of the tailer and the forwarder, defined once. Dashboards, alarms and people on call rely on the names: a released
name never changes.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STREAM: Final = "Stream"  # the one dimension in CloudWatch; a label of the same name, in small letters, in Prometheus


class Unit(StrEnum):
    """Units, by their names in CloudWatch."""

    COUNT = "Count"
    BYTES = "Bytes"
    SECONDS = "Seconds"
    MILLISECONDS = "Milliseconds"
    NONE = "None"


class Kind(StrEnum):
    """What a value means, and which statistic applies to it."""

    COUNTER = "counter"  # the increase since the previous value; Prometheus shows the sum since the start
    GAUGE = "gauge"  # the present value; left out while unknown
    LATENCY = "latency"  # how long it took, once for each batch or message


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric by its name in CloudWatch. ``per_stream``: it has the dimension ``Stream``; else it is of the task."""

    name: str
    unit: Unit
    kind: Kind
    meaning: str
    per_stream: bool = True

    @property
    def prometheus(self) -> str:
        """Its name in Prometheus. Every duration is in seconds there, and its name ends in ``_seconds``."""
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).lower()
        return f"tailrace_{snake}_seconds" if self.unit in (Unit.SECONDS, Unit.MILLISECONDS) else f"tailrace_{snake}"


def _counter(name: str, meaning: str, unit: Unit = Unit.COUNT) -> Metric:
    return Metric(name=name, unit=unit, kind=Kind.COUNTER, meaning=meaning)


def _gauge(name: str, unit: Unit, meaning: str, *, per_stream: bool = True) -> Metric:
    return Metric(name=name, unit=unit, kind=Kind.GAUGE, meaning=meaning, per_stream=per_stream)


def _latency(name: str, meaning: str) -> Metric:
    return Metric(name=name, unit=Unit.MILLISECONDS, kind=Kind.LATENCY, meaning=meaning)


def _by_name(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


TAILER: Final = _by_name(
    _counter("ChangesRead", "changes read from the change stream, counted once their batch is in the queue"),
    _counter("ChangesSent", "changes accepted by the queue, repeats and announced gaps too"),
    _counter("Messages", "messages accepted by the queue"),
    _counter("MessageBytes", "bytes of the messages accepted by the queue", Unit.BYTES),
    _counter("Calls", "SendMessageBatch calls"),
    _counter("Retries", "times that sending failed and was retried"),
    _counter("Reconnects", "times that the stream was opened again after a failure"),
    _counter("Claims", "changes too large for a message, stored in the claim bucket"),
    _counter("ChangesStubbed", "changes that could not be delivered, and were sent as stubs; the log says which and why"),
    _counter("Gaps", "accepted gaps in the history that were published"),
    _gauge(
        "Lag",
        Unit.SECONDS,
        "now minus the time of the stream's position; 0 on standby, left out while unknown",
    ),
    _gauge(
        "Headroom", Unit.SECONDS, "time until the server no longer has the history after the checkpoint; left out while unknown"
    ),
    _gauge("History", Unit.SECONDS, "how far back the server's history reaches; left out while unknown"),
    _gauge("CheckpointAge", Unit.SECONDS, "time since the checkpoint was last saved: what a crash would repeat"),
    _gauge("LeaseOwner", Unit.NONE, "1 while this task tails the stream"),
    _gauge("Stopped", Unit.NONE, "1 after this task gave the stream up for good: a person must look"),
    _latency("CommitToQueue", "from the commit of a batch's oldest change until the batch was in the queue"),
    _gauge("StandingBy", Unit.NONE, "1 while this task waits for any stream's lease, ready to take over", per_stream=False),
)
"""Metrics of a tailer task, on ``/metrics`` and, with ``TAILER_EMF_NAMESPACE``, in CloudWatch."""

FORWARDER: Final = _by_name(
    _counter("EventsPublished", "events accepted by the bus, repeats and redriven ones too"),
    _counter("MessagesFailed", "messages or stream records that return, including those after a failed one of their group"),
    _counter("ChangesParked", "changes parked, with their reason"),
    _counter("DuplicatesDropped", "changes not published because their lane's watermark had passed them"),
    _counter(
        "Unmapped",
        "changes of collections that have no entry in the mapper table; the function's log and tailer status name them",
    ),
    _latency("CommitToBus", "from the commit of a message's oldest change that became an event until the bus accepted it"),
)
"""Metrics of the forwarder's functions in CloudWatch, with ``FORWARDER_EMF_NAMESPACE``."""
