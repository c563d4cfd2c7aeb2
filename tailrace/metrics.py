"""
Every metric of the tailer and the forwarder, defined once. Dashboards, alarms and people on call rely on the names: a released
name never changes.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STREAM: Final = "Stream"  # the only dimension in CloudWatch; in Prometheus the label is stream


class Unit(StrEnum):
    """Units, by their names in CloudWatch."""

    COUNT = "Count"
    BYTES = "Bytes"
    SECONDS = "Seconds"
    MILLISECONDS = "Milliseconds"
    NONE = "None"


class Kind(StrEnum):
    """What a value means, and which statistic applies to it."""

    COUNTER = "counter"  # the increase since the previous value; in Prometheus the sum since the start
    GAUGE = "gauge"  # the current value; left out while unknown
    LATENCY = "latency"  # a duration, once for each batch or message


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric. ``name`` is its name in CloudWatch. Without ``per_stream`` it describes the task and has no dimension."""

    name: str
    unit: Unit
    kind: Kind
    meaning: str
    per_stream: bool = True

    @property
    def prometheus(self) -> str:
        """The name in Prometheus. Durations are in seconds there, and their names end in ``_seconds``."""
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
    _counter("ChangesSent", "changes accepted by the queue, with repeats and accepted gaps"),
    _counter("Messages", "messages accepted by the queue"),
    _counter("MessageBytes", "bytes of the messages accepted by the queue", Unit.BYTES),
    _counter("Calls", "SendMessageBatch calls"),
    _counter("Retries", "times that sending failed and was retried"),
    _counter("Reconnects", "times that the stream was opened again after a failure"),
    _counter("Claims", "changes too large for a message, stored in the claim bucket"),
    _counter("ChangesStubbed", "changes that could not be delivered and were sent as stubs; the log has the reason"),
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
    _gauge("Stopped", Unit.NONE, "1 after this task stopped the stream for good: a person must act"),
    _latency("CommitToQueue", "from the commit of the oldest change of a batch until the batch was in the queue"),
    _gauge("StandingBy", Unit.NONE, "1 while this task is on standby for the lease of a stream", per_stream=False),
)
"""Metrics of a tailer task, on ``/metrics`` and, with ``TAILER_EMF_NAMESPACE``, in CloudWatch."""

FORWARDER: Final = _by_name(
    _counter("EventsPublished", "events accepted by the bus, with repeats and redriven events"),
    _counter(
        "MessagesFailed",
        "messages or stream records that will be delivered again, with those after a failed one of their group",
    ),
    _counter("ChangesParked", "changes that were parked"),
    _counter("DuplicatesDropped", "changes not published again, because the watermark of their lane covers them"),
    _counter(
        "Unmapped",
        "changes of collections without an entry in the mapper table; the function's log and tailer status name them",
    ),
    _latency("CommitToBus", "from the commit of the oldest change of a message with an event until the bus accepted the event"),
)
"""Metrics of the forwarder's functions in CloudWatch, with ``FORWARDER_EMF_NAMESPACE``."""
