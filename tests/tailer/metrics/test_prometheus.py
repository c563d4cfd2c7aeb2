"""Each defined metric of a task is counted and exported under its name and for its stream."""

from math import isnan

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tailer.metrics.prometheus import Families, Metrics
from tailrace.metrics import TAILER, Kind, Metric

TYPES = {Kind.COUNTER: "counter", Kind.GAUGE: "gauge", Kind.LATENCY: "histogram"}


@pytest.mark.parametrize("metric", TAILER.values(), ids=lambda metric: metric.name)
def test_every_metric_is_exported_to_prometheus(metric: Metric) -> None:
    """With its kind, meaning and stream, from the start."""
    text = Metrics("payments").families.text().decode()
    family = next(family for family in text_string_to_metric_families(text) if family.name == metric.prometheus)
    assert (family.type, family.documentation) == (TYPES[metric.kind], metric.meaning)
    labels = [sample.labels.get("stream") for sample in family.samples]
    assert set(labels) == ({"payments"} if metric.per_stream else {None})


def test_only_defined_metrics_are_exported() -> None:
    """So the table of the documentation is complete."""
    families = text_string_to_metric_families(Metrics("payments").families.text().decode())
    shown = {family.name for family in families if not family.name.endswith("_created")}  # added by the client library
    assert shown == {metric.prometheus for metric in TAILER.values()}


def test_streams_of_one_task_have_separate_values() -> None:
    families = Families()
    payments, orders = Metrics("payments", families), Metrics("orders", families)
    payments.sent.inc(3)
    orders.sent.inc(4)
    payments.lag.set(0)
    orders.lag.set(1.5)
    assert [families.value(TAILER["ChangesSent"], stream) for stream in ("payments", "orders")] == [3, 4]
    assert [families.value(TAILER["Lag"], stream) for stream in ("payments", "orders")] == [0, 1.5]


@pytest.mark.parametrize("name", ["Lag", "Headroom", "History", "CheckpointAge"])
def test_unknown_metric_is_nan_and_not_zero(name: str) -> None:
    """Zero headroom would be an alarm, and zero lag would be wrong."""
    families = Families()
    Metrics("payments", families)
    assert isnan(families.value(TAILER[name], "payments"))


def test_histogram_counts_every_latency() -> None:
    metrics = Metrics("payments")
    for _ in range(500):
        metrics.commit_to_queue.observe(0.03)
    text = metrics.families.text().decode()
    assert 'tailrace_commit_to_queue_seconds_bucket{le="0.025",stream="payments"} 0.0' in text
    assert 'tailrace_commit_to_queue_seconds_bucket{le="0.05",stream="payments"} 500.0' in text
