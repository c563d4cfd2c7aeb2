"""Metrics as a line in CloudWatch's Embedded Metric Format. CloudWatch extracts them if nothing else is on the line."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from tailrace.metrics import STREAM, Metric

SAMPLE = 90  # values of a latency on a line; CloudWatch accepts at most 100

Values = Mapping[str, Sequence[float]]
"""By the name of the metric. A latency has up to ``SAMPLE`` values, another metric has one, and an unknown metric none."""


def emf_line(emf: Any, metrics: Mapping[str, Metric], values: Values, *, stream: str, now: datetime | None = None) -> str:
    """
    The line of one stream; of the whole task if ``stream`` is empty. The time is ``now``, else the present time.

    ``emf`` is a new ``AmazonCloudWatchEMFProvider`` of Powertools, which this package does not need itself. Its service must be
    empty: a service would be another dimension, and no alarm would find the metric.
    """
    if now:
        emf.timestamp = round(now.timestamp() * 1000)
    emf.add_metadata("action", "figures")
    if stream:
        emf.add_dimension(STREAM, stream)
    for name, several in values.items():
        for value in several:
            emf.add_metric(name, metrics[name].unit, value)
    return json.dumps(emf.serialize_metric_set())


def sampled(latencies: Sequence[float]) -> Sequence[float]:
    """All latencies, or an even sample of ``SAMPLE`` with the longest."""
    return sorted(latencies, reverse=True)[:: ceil(len(latencies) / SAMPLE) or 1]
