"""
The figures for CloudWatch: a line a minute for each stream on standard output, in the Embedded Metric Format.

CloudWatch makes metrics of such a line wherever it finds one in a log, as long as nothing stands before or behind it.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from math import isnan

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from tailer.background import attempt, background
from tailer.metrics.prometheus import Families, Metrics
from tailrace.metrics import STREAM, TAILER, Kind, Metric

EVERY = 60.0  # seconds between two lines of a stream: CloudWatch's resolution

Values = dict[str, Sequence[float]]
"""What a line says, by the figures' names. A latency has many values, any other figure one; none is what nobody knows."""

Write = Callable[[str], None]
"""Takes one line, without its end."""


@contextmanager
def emf_lines(namespace: str, families: Families, *, now: Callable[[], datetime]) -> Iterator[None]:
    """
    Write lines while the block runs, from a thread of their own, and once more at its end; none without a namespace.

    The metrics belong to ``namespace``. Where nobody takes the lines any more, the block goes on without them.
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
    """Remembers what the last lines said of counters, so that the next ones can say what was added."""

    def __init__(self, namespace: str, families: Families, *, now: Callable[[], datetime], write: Write) -> None:
        self._namespace = namespace
        self._families = families
        self._now = now
        self._write = write
        self._sums: dict[tuple[str, str], float] = {}

    def write(self) -> None:
        """One line for each stream, and one for the task."""
        with suppress(OSError):
            for metrics in self._families.streams:
                self._write(self._line(self._of_stream(metrics), metrics.stream))
            self._write(self._line(self._of_task()))

    def _of_stream(self, metrics: Metrics) -> Values:
        latencies = [round(seconds * 1000) for seconds in metrics.commit_to_queue.take()]
        values = {one.name: self._values(one, metrics.stream) for one in TAILER.values() if one.per_stream}
        return values | {"CommitToQueue": latencies}

    def _of_task(self) -> Values:
        return {one.name: self._values(one) for one in TAILER.values() if not one.per_stream}

    def _values(self, metric: Metric, stream: str = "") -> Sequence[float]:
        value = self._families.value(metric, stream)
        if metric.kind is Kind.COUNTER:
            before, self._sums[metric.name, stream] = self._sums.get((metric.name, stream), 0.0), value
            value -= before
        return () if isnan(value) else (round(value, 3),)

    def _line(self, values: Values, stream: str = "") -> str:
        # A service would be one dimension more, and no alarm would find its metric.
        emf = AmazonCloudWatchEMFProvider(namespace=self._namespace, service="")
        emf.timestamp = round(self._now().timestamp() * 1000)
        emf.add_metadata("action", "figures")
        if stream:
            emf.add_dimension(STREAM, stream)
        for name, several in values.items():
            for value in several:
                emf.add_metric(name, TAILER[name].unit, value)
        return json.dumps(emf.serialize_metric_set())


def _every_minute(lines: EmfLines, over: threading.Event, now: Callable[[], datetime]) -> None:
    """In the middle of each minute of the clock: every minute of a metric then has one value of each task."""
    while not over.wait(EVERY - (now().timestamp() - EVERY / 2) % EVERY):
        lines.write()


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
