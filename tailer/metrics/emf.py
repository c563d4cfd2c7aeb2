"""Writes the metrics for CloudWatch: a line a minute for each stream, and one for the task, on standard output."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from math import isnan

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from tailer.background import attempt, background
from tailer.metrics.prometheus import Families, Metrics
from tailrace.aws.emf import Values, emf_line, sampled
from tailrace.metrics import TAILER, Kind, Metric

EVERY = 60.0  # seconds between two lines of a stream: CloudWatch's resolution


@contextmanager
def emf_lines(namespace: str, families: Families, *, now: Callable[[], datetime]) -> Iterator[None]:
    """
    Write lines from a background thread while the block runs, and once more at its end. Without a namespace write none.

    If standard output is closed, the block continues without the lines.
    """
    if not namespace:
        yield
        return
    lines = EmfLines(namespace, families, now=now, write=_print)
    over = threading.Event()
    thread = background("emf", lambda: _every_minute(lines, over, now), over)
    try:
        yield
    finally:
        over.set()
        thread.join()
        attempt("emf", lines.write)


class EmfLines:
    """Keeps the last value of each counter, because a line has the increase since the line before."""

    def __init__(
        self, namespace: str, families: Families, *, now: Callable[[], datetime], write: Callable[[str], None]
    ) -> None:
        self._namespace = namespace
        self._families = families
        self._now = now
        self._write = write
        self._sums: dict[tuple[str, str], float] = {}

    def write(self) -> None:
        with suppress(OSError):
            for metrics in self._families.streams:
                self._write_line(self._of_stream(metrics), metrics.stream)
            self._write_line({metric.name: self._values(metric) for metric in TAILER.values() if not metric.per_stream})

    def _of_stream(self, metrics: Metrics) -> Values:
        latencies = sampled([round(seconds * 1000) for seconds in metrics.commit_to_queue.take()])
        values = {metric.name: self._values(metric, metrics.stream) for metric in TAILER.values() if metric.per_stream}
        return values | {"CommitToQueue": latencies}

    def _values(self, metric: Metric, stream: str = "") -> Sequence[float]:
        value = self._families.value(metric, stream)
        if metric.kind is Kind.COUNTER:
            before, self._sums[metric.name, stream] = self._sums.get((metric.name, stream), 0.0), value
            value -= before
        return () if isnan(value) else (round(value, 3),)

    def _write_line(self, values: Values, stream: str = "") -> None:
        emf = AmazonCloudWatchEMFProvider(namespace=self._namespace, service="")
        self._write(emf_line(emf, TAILER, values, stream=stream, now=self._now()))


def _every_minute(lines: EmfLines, over: threading.Event, now: Callable[[], datetime]) -> None:
    """Write in the middle of each minute of the clock, so that each minute of a metric has one value per task."""
    while not over.wait(EVERY - (now().timestamp() - EVERY / 2) % EVERY):
        lines.write()


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
