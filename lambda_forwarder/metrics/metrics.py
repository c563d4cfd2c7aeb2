"""Counts the results of the forwarder by stream, for the metrics of ``tailrace.metrics.FORWARDER``."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked
from tailrace.aws.emf import sampled

STREAM = re.compile(r"[A-Za-z0-9._-]{1,255}")  # the names of a tailer's streams, and dynamodb.TABLE
UNKNOWN = "unknown"  # counted for all other names

Values = dict[str, dict[str, Sequence[float]]]
"""By stream and by the metric's name. A latency has many values, a counter has a single value."""


class Metrics:
    """
    Counts until ``take``. ``namespace`` is that of CloudWatch. ``now`` returns the time of day; without it, no latency is
    measured.

    A sender to the queue can invent streams. If ``streams`` are given, all others are counted as ``UNKNOWN``.
    """

    def __init__(self, namespace: str = "", now: Callable[[], datetime] | None = None, streams: Collection[str] = ()) -> None:
        self.namespace = namespace
        self._streams = streams
        self._now = now
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._latencies: defaultdict[str, list[float]] = defaultdict(list)

    def published(self, stream: str, entries: Sequence[Entry]) -> None:
        """Count events that the bus accepted."""
        self.count(stream, "EventsPublished", len(entries))
        if self._now and entries:
            took = self._now() - min(entry.time for entry in entries)
            self._latencies[self._known(stream)].append(round(max(0.0, took.total_seconds() * 1000)))

    def parked(self, parked: Sequence[Parked]) -> None:
        for item in parked:
            self.count(item.stream, "ChangesParked", 1)

    def count(self, stream: str, metric: str, increase: int) -> None:
        """Increase a counter of ``tailrace.metrics.FORWARDER``."""
        self._counts[self._known(stream)][metric] += increase

    def take(self) -> Values:
        """Return the values since the last call. A counter without an increase is left out."""
        counts, self._counts = self._counts, defaultdict(Counter)
        latencies, self._latencies = self._latencies, defaultdict(list)
        taken: Values = {stream: {name: (count,) for name, count in (+counter).items()} for stream, counter in counts.items()}
        for stream, took in latencies.items():
            taken[stream]["CommitToBus"] = sampled(took)
        return {stream: metrics for stream, metrics in taken.items() if metrics}

    def _known(self, stream: str) -> str:
        known = stream in self._streams if self._streams else STREAM.fullmatch(stream)
        return stream if known else UNKNOWN
