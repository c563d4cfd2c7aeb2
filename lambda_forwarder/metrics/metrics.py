"""What became of the changes of each stream, counted for those on call: the figures of ``tailrace.metrics.FORWARDER``."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from math import ceil

from lambda_forwarder.model.entry import Entry
from lambda_forwarder.model.parked import Parked

STREAM = re.compile(r"[A-Za-z0-9._-]{1,255}")  # the tailer's names, and dynamodb.TABLE
UNKNOWN = "unknown"  # the stream of what is not ours
SAMPLE = 90  # latencies of a stream; CloudWatch takes at most 100 values of a metric at once

Values = dict[str, dict[str, Sequence[float]]]
"""By stream and by the figure's name. A latency has many values, a counter one."""


class Metrics:
    """
    Counts until somebody takes it. ``now`` is the time of day, for latencies; without it there are none.

    ``namespace`` is where they belong in CloudWatch. Whoever may send to the queue can name a stream as they like: what is not
    one of ``streams`` is counted as ``UNKNOWN``. Where nobody said which there are, every name of our form is a stream.
    """

    def __init__(self, namespace: str = "", now: Callable[[], datetime] | None = None, streams: Collection[str] = ()) -> None:
        self.namespace = namespace
        self._streams = streams
        self._now = now
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._latencies: defaultdict[str, list[float]] = defaultdict(list)

    def published(self, stream: str, entries: Sequence[Entry]) -> None:
        """The bus has accepted these."""
        self._count(stream, "EventsPublished", len(entries))
        if self._now and entries:
            took = self._now() - min(entry.time for entry in entries)
            self._latencies[self._known(stream)].append(round(max(0.0, took.total_seconds() * 1000)))

    def parked(self, parked: Sequence[Parked]) -> None:
        """These were set aside."""
        for one in parked:
            self._count(one.stream, "ChangesParked", 1)

    def dropped(self, stream: str, changes: int) -> None:
        """So many changes were published before."""
        self._count(stream, "DuplicatesDropped", changes)

    def unmapped(self, stream: str, changes: int) -> None:
        """So many changes are of collections that no mapper reads."""
        self._count(stream, "Unmapped", changes)

    def failed(self, stream: str, messages: int = 1) -> None:
        """So many messages come again."""
        self._count(stream, "MessagesFailed", messages)

    def take(self) -> Values:
        """What was counted since the last time. What did not happen is left out."""
        counts, self._counts = self._counts, defaultdict(Counter)
        latencies, self._latencies = self._latencies, defaultdict(list)
        taken: Values = {stream: {name: (count,) for name, count in (+counter).items()} for stream, counter in counts.items()}
        for stream, took in latencies.items():
            taken[stream]["CommitToBus"] = _sample(took)
        return {stream: metrics for stream, metrics in taken.items() if metrics}

    def _count(self, stream: str, name: str, count: int) -> None:
        self._counts[self._known(stream)][name] += count

    def _known(self, stream: str) -> str:
        known = stream in self._streams if self._streams else STREAM.fullmatch(stream)
        return stream if known else UNKNOWN


def _sample(took: Sequence[float]) -> Sequence[float]:
    """All of them, or an even part of very many with the longest among them."""
    return sorted(took, reverse=True)[:: ceil(len(took) / SAMPLE)]
