"""The figures of ``tailrace.metrics.TAILER``, counted. ``/metrics`` prints them for Prometheus, ``emf`` for CloudWatch."""

from math import nan

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tailer.metrics.latency import BUCKETS, Latency
from tailrace.metrics import TAILER, Kind, Metric

LABELS = ["stream"]


class Families:
    """The figures of one task, of all its streams."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._counters = {
            one.name: Counter(one.prometheus, one.meaning, LABELS, registry=registry) for one in _all(Kind.COUNTER)
        }
        self._gauges = {one.name: Gauge(one.prometheus, one.meaning, LABELS, registry=registry) for one in _all(Kind.GAUGE)}
        self._latencies = {
            one.name: Histogram(one.prometheus, one.meaning, LABELS, registry=registry, buckets=BUCKETS)
            for one in _all(Kind.LATENCY)
        }
        standing_by = TAILER["StandingBy"]
        self.standing_by = Gauge(standing_by.prometheus, standing_by.meaning, registry=registry)
        self.streams: list[Metrics] = []

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)

    def value(self, metric: Metric, stream: str = "") -> float:
        """A counter's sum since the start, or a gauge as it is now; NaN where nobody knows."""
        name = f"{metric.prometheus}_total" if metric.kind is Kind.COUNTER else metric.prometheus
        found = self._registry.get_sample_value(name, {"stream": stream} if metric.per_stream else {})
        return nan if found is None else found

    def counter(self, name: str, stream: str) -> Counter:
        """The one stream's share of a counter, by the figure's name; likewise the next two."""
        return self._counters[name].labels(stream)

    def gauge(self, name: str, stream: str) -> Gauge:
        return self._gauges[name].labels(stream)

    def latency(self, name: str, stream: str) -> Latency:
        return Latency(self._latencies[name].labels(stream))


class Metrics:
    """The figures of one stream."""

    def __init__(self, stream: str, families: Families | None = None) -> None:
        self.stream = stream
        self._families = families = families or Families()
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

    def text(self) -> bytes:
        """All figures of the task, in Prometheus' text format."""
        return self._families.text()


def _all(kind: Kind) -> list[Metric]:
    return [metric for metric in TAILER.values() if metric.kind is kind and metric.per_stream]
