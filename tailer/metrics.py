"""Every figure the tailer shows, by name and unit. ``/metrics`` prints them for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """The figures of one stream in one task."""

    def __init__(self, stream: str) -> None:
        self._registry = CollectorRegistry()
        self.read = self._counter("changes_read", "changes read from the change stream", stream)
        self.sent = self._counter("changes_sent", "changes accepted by the queue", stream)
        self.messages = self._counter("messages", "messages accepted by the queue", stream)
        self.bytes = self._counter("message_bytes", "bytes of the messages accepted by the queue", stream)
        self.calls = self._counter("calls", "SendMessageBatch calls", stream)
        self.retries = self._counter("retries", "times sending had to wait and try again", stream)
        self.reconnects = self._counter("reconnects", "times the stream was opened again after a failure", stream)
        self.lag = self._gauge("lag_seconds", "how far the queue is behind the database", stream)
        self.owner = self._gauge("lease_owner", "1 while this task tails the stream", stream)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str, stream: str) -> Counter:
        return Counter(f"tailrace_{name}", meaning, ["stream"], registry=self._registry).labels(stream)

    def _gauge(self, name: str, meaning: str, stream: str) -> Gauge:
        return Gauge(f"tailrace_{name}", meaning, ["stream"], registry=self._registry).labels(stream)
