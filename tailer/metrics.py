"""Every figure the tailer shows, by name and unit. ``/metrics`` prints them for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Families:
    """The figures of one task, of all its streams."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.read = self._counter("changes_read", "changes read from the change stream")
        self.sent = self._counter("changes_sent", "changes accepted by the queue")
        self.messages = self._counter("messages", "messages accepted by the queue")
        self.bytes = self._counter("message_bytes", "bytes of the messages accepted by the queue")
        self.calls = self._counter("calls", "SendMessageBatch calls")
        self.retries = self._counter("retries", "times sending had to wait and try again")
        self.reconnects = self._counter("reconnects", "times the stream was opened again after a failure")
        self.claims = self._counter("claims", "changes too large for a message, left in the claim bucket")
        self.gaps = self._counter("gaps", "accepted gaps in the history that were announced")
        self.lag = self._gauge("lag_seconds", "how far the queue is behind the database; 0 where this task stands by")
        self.headroom = self._gauge("headroom_seconds", "history left before the checkpoint falls off it; NaN where unknown")
        self.owner = self._gauge("lease_owner", "1 while this task tails the stream")
        self.stopped = self._gauge("stopped", "1 after this task gave the stream up for good: a person has to look")

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str) -> Counter:
        return Counter(f"tailrace_{name}", meaning, ["stream"], registry=self._registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(f"tailrace_{name}", meaning, ["stream"], registry=self._registry)


class Metrics:
    """The figures of one stream."""

    def __init__(self, stream: str, families: Families | None = None) -> None:
        self._families = families = families or Families()
        self.read, self.sent = families.read.labels(stream), families.sent.labels(stream)
        self.messages, self.bytes = families.messages.labels(stream), families.bytes.labels(stream)
        self.calls, self.retries = families.calls.labels(stream), families.retries.labels(stream)
        self.reconnects, self.claims = families.reconnects.labels(stream), families.claims.labels(stream)
        self.gaps, self.lag = families.gaps.labels(stream), families.lag.labels(stream)
        self.headroom, self.owner = families.headroom.labels(stream), families.owner.labels(stream)
        self.stopped = families.stopped.labels(stream)
        self.headroom.set(float("nan"))

    def text(self) -> bytes:
        """All figures of the task, in Prometheus' text format."""
        return self._families.text()
