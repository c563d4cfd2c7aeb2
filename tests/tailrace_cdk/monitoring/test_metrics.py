"""CloudWatch metrics are read by the names and dimensions under which they are written."""

import re

import pytest
from aws_cdk import Duration

from infra.pages.metrics import PAGE, page
from tailrace.metrics import FORWARDER, TAILER
from tailrace_cdk.monitoring.metrics import METRICS, Metrics

METRIC = Metrics("Tailrace/test")


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_can_be_read(name: str) -> None:
    """In the stack's namespace with its dimension."""
    stream = "payments" if METRICS[name].per_stream else ""
    metric = METRIC.metric(name, stream)
    assert (metric.namespace, metric.metric_name) == ("Tailrace/test", name)
    assert dict(metric.dimensions or {}) == ({"Stream": "payments"} if stream else {})
    assert metric.period.to_seconds() == Duration.minutes(1).to_seconds()


def test_undefined_metric_is_refused() -> None:
    """A graph or an alarm without data is found when the stack is synthesised."""
    with pytest.raises(KeyError):
        METRIC.metric("Delay", "payments")
    with pytest.raises(KeyError):
        METRIC.of_every_stream("Delay")


@pytest.mark.parametrize(("name", "stream"), [("Lag", ""), ("StandingBy", "payments")])
def test_wrong_number_of_dimensions_is_refused(name: str, stream: str) -> None:
    """Such a metric would never have a value."""
    with pytest.raises(ValueError, match="is a metric of"):
        METRIC.metric(name, stream)


def test_search_over_all_streams_is_quoted() -> None:
    """An environment's name may have a hyphen."""
    search = Metrics("Tailrace/my-own").of_every_stream("Lag").to_metric_config().search_expression
    assert search is not None
    assert search.expression == """SEARCH('{"Tailrace/my-own",Stream} MetricName="Lag"', 'Maximum', 60)"""


def test_metrics_page_is_current() -> None:
    """``make docs`` writes it."""
    assert PAGE.read_text() == page()
    assert set(re.findall(r"^\| `(\w+)` \|", page(), re.MULTILINE)) == TAILER.keys() | FORWARDER.keys()
