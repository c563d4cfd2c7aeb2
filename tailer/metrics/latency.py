"""How long something took: all of it for Prometheus, and some of it for lines that can hold only so much."""

import threading

from prometheus_client import Histogram

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)  # seconds
SAMPLE = 64  # values kept between two lines; CloudWatch takes at most 100 of a metric


class Latency:
    """Told once a batch, by the loop; a microsecond each time. Every value is in seconds."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._lock = threading.Lock()
        self._sample: list[float] = []
        self._longest, self._seen, self._step = 0.0, 0, 1

    def observe(self, seconds: float) -> None:
        """One more. Of very many every second, then every fourth, … is kept: an even sample however many there are."""
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
        """What came since the last time: a sample of it, and the longest for certain. Empty where nothing came."""
        with self._lock:
            sample, longest = self._sample, self._longest
            self._sample = []
            self._longest, self._seen, self._step = 0.0, 0, 1
        return sample if not sample or longest in sample else [*sample, longest]
