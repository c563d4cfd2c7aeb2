"""The metrics of a task as Prometheus metrics. ``/metrics`` prints them; ``emf`` reads them for CloudWatch."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from math import nan
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tailrace.metrics import TAILER, Kind, Metric

_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)  # seconds
_BETWEEN_LINES = 10_000  # latencies kept between two lines; a busy task has a few hundred

_Family = TypeVar("_Family", Counter, Gauge, Histogram)


class Families:
    """The metrics of one task, for all its streams."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.counters = self._of(Kind.COUNTER, Counter)
        self.gauges = self._of(Kind.GAUGE, Gauge)
        self.latencies = self._of(Kind.LATENCY, partial(Histogram, buckets=_BUCKETS))
        standing_by = TAILER["StandingBy"]
        self.standing_by = Gauge(standing_by.prometheus, standing_by.meaning, registry=self._registry)
        self.streams: list[Metrics] = []

    def _of(self, kind: Kind, family: Callable[..., _Family]) -> dict[str, _Family]:
        named = [metric for metric in TAILER.values() if metric.kind is kind and metric.per_stream]
        return {metric.name: family(metric.prometheus, metric.meaning, ["stream"], registry=self._registry) for metric in named}

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def value(self, metric: Metric, stream: str = "") -> float:
        """A counter's sum since the start, or a gauge's present value. NaN means unknown."""
        name = f"{metric.prometheus}_total" if metric.kind is Kind.COUNTER else metric.prometheus
        found = self._registry.get_sample_value(name, {"stream": stream} if metric.per_stream else {})
        return nan if found is None else found


class Latency:
    """The loop adds one value for each batch, in seconds: to the histogram, and for the next line of CloudWatch."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._since_last_line: deque[float] = deque(maxlen=_BETWEEN_LINES)

    def observe(self, seconds: float) -> None:
        self._histogram.observe(seconds)
        self._since_last_line.append(seconds)

    def take(self) -> Sequence[float]:
        """Return the values since the last call."""
        return [self._since_last_line.popleft() for _ in range(len(self._since_last_line))]


class Metrics:
    """The metrics of one stream."""

    def __init__(self, stream: str, families: Families | None = None) -> None:
        self.stream = stream
        self.families = families = families or Families()
        counters = {name: family.labels(stream) for name, family in families.counters.items()}
        gauges = {name: family.labels(stream) for name, family in families.gauges.items()}
        self.read, self.sent = counters["ChangesRead"], counters["ChangesSent"]
        self.messages, self.bytes = counters["Messages"], counters["MessageBytes"]
        self.calls, self.retries = counters["Calls"], counters["Retries"]
        self.reconnects, self.claims = counters["Reconnects"], counters["Claims"]
        self.stubbed, self.gaps = counters["ChangesStubbed"], counters["Gaps"]
        self.lag, self.headroom, self.history = gauges["Lag"], gauges["Headroom"], gauges["History"]
        self.checkpoint_age, self.owner, self.stopped = gauges["CheckpointAge"], gauges["LeaseOwner"], gauges["Stopped"]
        self.commit_to_queue = Latency(families.latencies["CommitToQueue"].labels(stream))
        for unknown in (self.lag, self.headroom, self.history, self.checkpoint_age):
            unknown.set(nan)
        families.streams.append(self)
