"""A latency: every value for Prometheus, and a sample of the values for an EMF line, which can hold only 100."""

import threading

from prometheus_client import Histogram

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)  # seconds
SAMPLE = 64  # values kept between two lines; CloudWatch accepts at most 100 per metric


class Latency:
    """The loop adds one value per batch, in seconds."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._lock = threading.Lock()
        self._sample: list[float] = []
        self._longest, self._seen, self._step = 0.0, 0, 1

    def observe(self, seconds: float) -> None:
        """Add a value. When the sample is full, keep every second value, then every fourth, …: the sample stays even."""
        self._histogram.observe(seconds)
        with self._lock:
            self._longest = max(self._longest, seconds)
            if self._seen % self._step == 0:
                self._sample.append(seconds)
            self._seen += 1
            if len(self._sample) == SAMPLE:
                del self._sample[1::2]
                self._step *= 2

    def take(self) -> list[float]:
        """Return a sample of the values since the last call, which always contains the longest, and start a new sample."""
        with self._lock:
            sample, longest = self._sample, self._longest
            self._sample = []
            self._longest, self._seen, self._step = 0.0, 0, 1
        return sample if not sample or longest in sample else [*sample, longest]
