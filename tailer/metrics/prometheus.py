"""The metrics of a task as Prometheus metrics. ``/metrics`` prints them; ``emf`` reads them for CloudWatch."""

from math import nan

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tailer.metrics.latency import BUCKETS, Latency
from tailrace.metrics import TAILER, Kind, Metric

LABELS = ["stream"]


class Families:
    """The metrics of one task, for all its streams."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._counters = {
            metric.name: Counter(metric.prometheus, metric.meaning, LABELS, registry=registry) for metric in _all(Kind.COUNTER)
        }
        self._gauges = {
            metric.name: Gauge(metric.prometheus, metric.meaning, LABELS, registry=registry) for metric in _all(Kind.GAUGE)
        }
        self._latencies = {
            metric.name: Histogram(metric.prometheus, metric.meaning, LABELS, registry=registry, buckets=BUCKETS)
            for metric in _all(Kind.LATENCY)
        }
        standing_by = TAILER["StandingBy"]
        self.standing_by = Gauge(standing_by.prometheus, standing_by.meaning, registry=registry)
        self.streams: list[Metrics] = []

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def value(self, metric: Metric, stream: str = "") -> float:
        """A counter's sum since the start, or a gauge's present value. NaN means unknown."""
        name = f"{metric.prometheus}_total" if metric.kind is Kind.COUNTER else metric.prometheus
        found = self._registry.get_sample_value(name, {"stream": stream} if metric.per_stream else {})
        return nan if found is None else found

    def counter(self, name: str, stream: str) -> Counter:
        return self._counters[name].labels(stream)

    def gauge(self, name: str, stream: str) -> Gauge:
        return self._gauges[name].labels(stream)

    def latency(self, name: str, stream: str) -> Latency:
        return Latency(self._latencies[name].labels(stream))


class Metrics:
    """The metrics of one stream."""

    def __init__(self, stream: str, families: Families | None = None) -> None:
        self.stream = stream
        self.families = families = families or Families()
        self.read, self.sent = families.counter("ChangesRead", stream), families.counter("ChangesSent", stream)
        self.messages, self.bytes = families.counter("Messages", stream), families.counter("MessageBytes", stream)
        self.calls, self.retries = families.counter("Calls", stream), families.counter("Retries", stream)
        self.reconnects, self.claims = families.counter("Reconnects", stream), families.counter("Claims", stream)
        self.stubbed = families.counter("ChangesStubbed", stream)
        self.gaps, self.lag = families.counter("Gaps", stream), families.gauge("Lag", stream)
        self.headroom, self.history = families.gauge("Headroom", stream), families.gauge("History", stream)
        self.checkpoint_age, self.owner = families.gauge("CheckpointAge", stream), families.gauge("LeaseOwner", stream)
        self.stopped, self.commit_to_queue = families.gauge("Stopped", stream), families.latency("CommitToQueue", stream)
        for unknown in (self.lag, self.headroom, self.history, self.checkpoint_age):
            unknown.set(nan)
        families.streams.append(self)


def _all(kind: Kind) -> list[Metric]:
    return [metric for metric in TAILER.values() if metric.kind is kind and metric.per_stream]
