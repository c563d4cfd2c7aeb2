"""The figures of a task: each of the definitions is counted and shown, under its name and for its stream."""

from math import isnan

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tailer.metrics.prometheus import Families, Metrics
from tailrace.metrics import TAILER, Kind, Metric

TYPES = {Kind.COUNTER: "counter", Kind.GAUGE: "gauge", Kind.LATENCY: "histogram"}


@pytest.mark.parametrize("metric", TAILER.values(), ids=lambda metric: metric.name)
def test_every_metric_is_shown_to_prometheus(metric: Metric) -> None:
    """By name, kind, meaning and stream, from the first moment on."""
    text = Metrics("payments").text().decode()
    family = next(family for family in text_string_to_metric_families(text) if family.name == metric.prometheus)
    assert (family.type, family.documentation) == (TYPES[metric.kind], metric.meaning)
    labels = [sample.labels.get("stream") for sample in family.samples]
    assert set(labels) == ({"payments"} if metric.per_stream else {None})


def test_nothing_is_shown_that_is_not_defined() -> None:
    """What is on the page is in the table of the documentation too."""
    families = text_string_to_metric_families(Metrics("payments").text().decode())
    shown = {family.name for family in families if not family.name.endswith("_created")}  # the client library's own
    assert shown == {metric.prometheus for metric in TAILER.values()}


def test_the_value_of_a_metric_is_its_streams_own() -> None:
    """Streams of one task do not mix."""
    families = Families()
    payments, orders = Metrics("payments", families), Metrics("orders", families)
    payments.sent.inc(3)
    orders.sent.inc(4)
    payments.lag.set(0)
    orders.lag.set(1.5)
    assert [families.value(TAILER["ChangesSent"], stream) for stream in ("payments", "orders")] == [3, 4]
    assert [families.value(TAILER["Lag"], stream) for stream in ("payments", "orders")] == [0, 1.5]


@pytest.mark.parametrize("name", ["Lag", "Headroom", "History", "CheckpointAge"])
def test_what_nobody_knows_yet_is_not_zero(name: str) -> None:
    """Zero headroom would be an alarm, and no lag or a checkpoint without age a lie."""
    families = Families()
    Metrics("payments", families)
    assert isnan(families.value(TAILER[name], "payments"))
